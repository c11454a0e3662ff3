import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const file = new URL('../../../packaging/cloud-init/user-data.yaml', import.meta.url);

/** The cloud-init template of packaging, with its variables unfilled. */
export const template = readFileSync(file, 'utf8');

/** The names of the variables of the template. */
export const variables: readonly string[] = [
  ...new Set([...template.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name)),
];

export interface UserData {
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions: string;
    readonly content: string;
  }[];
  readonly runcmd: readonly string[];
}

/** Fills in the template with these values; a variable without a value stays unfilled. */
export function filledIn(values: Readonly<Record<string, string>>): string {
  return template.replace(/\$\{(\w+)\}/g, (text, name) => values[name] ?? text);
}

/** Parses a filled template as cloud-init does. */
export function asUserData(text: string): UserData {
  return parse(text);
}
