import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

const folder = new URL('../../../packaging/cloud-init/', import.meta.url);

/** The cloud-init template user-data.yaml, with its variables unfilled. */
export const template = readFileSync(new URL('user-data.yaml', folder), 'utf8');

/** The cloud-init template for Oracle Cloud. */
export const oracleTemplate = readFileSync(new URL('oracle.yaml', folder), 'utf8');

/** Returns the names of the variables of a template. */
export function variablesIn(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name))];
}

/** The names of the variables in user-data.yaml. */
export const variables = variablesIn(template);

export interface UserData {
  readonly write_files: readonly {
    readonly path: string;
    readonly permissions: string;
    readonly content: string;
  }[];
  readonly runcmd: readonly string[];
}

/** Fills in a template with these values; a variable without a value stays in place. */
export function filledIn(values: Readonly<Record<string, string>>, text = template): string {
  return text.replace(/\$\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Parses a filled template as cloud-init does. */
export function asUserData(text: string): UserData {
  return parse(text);
}
