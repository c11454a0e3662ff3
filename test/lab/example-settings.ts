/** Fills in the example user data in packaging/cloud-init, as envsubst and Terraform's templatefile do. */
import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import * as z from 'zod/mini';

const folder = new URL('../../packaging/cloud-init/', import.meta.url);

/** A file on a node. */
export interface NodeFile {
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/** The part of user data that lists the files for cloud-init to write. */
const userData = z.object({
  write_files: z.array(z.object({ path: z.string(), permissions: z.string(), content: z.string() })),
});

/**
 * Returns the files that cloud-init writes for the example `name`, such as `oracle` for oracle.yaml. Throws if the
 * example has a variable without a value, or if `values` names a variable that the example lacks.
 */
export function exampleFiles(name: string, values: Readonly<Record<string, string>>): readonly NodeFile[] {
  const text = readFileSync(new URL(`${name}.yaml`, folder), 'utf8');
  return z
    .parse(userData, parse(filledIn(name, text, values)))
    .write_files.map(({ path, permissions, content }) => ({
      path,
      content,
      mode: Number.parseInt(permissions, 8),
    }));
}

/** Returns the files in /etc/slipway that cloud-init writes for user-data.yaml or oracle.yaml with these settings. */
export function exampleConfig(name: 'user-data' | 'oracle', settings: object): readonly NodeFile[] {
  const files = exampleFiles(name, {
    slipway_url: 'https://example.com/slipway',
    slipway_sha256: '0'.repeat(64),
    config: stringify(settings)
      .trim()
      .replaceAll('\n', `\n${' '.repeat(6)}`),
    ...(name === 'oracle' && { firewall: '' }),
  });
  return files.filter(({ path }) => path.startsWith('/etc/slipway/'));
}

function filledIn(name: string, text: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const filled = text.replace(/\$\{(\w+)\}/g, (_, variable: string) => {
    used.add(variable);
    return values[variable] ?? fail(`The variable ${variable} of ${name}.yaml has no value.`);
  });
  const unknown = Object.keys(values).filter((variable) => !used.has(variable));
  return unknown.length === 0 ? filled : fail(`${name}.yaml has no variable ${unknown.join(', ')}.`);
}

function fail(message: string): never {
  throw new Error(message);
}
