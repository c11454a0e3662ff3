/**
 * The Secrets that a platform's server creates in the cluster: the Secrets in the first example of
 * docs/usage/workloads.md.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import type { LabNode } from '../node.ts';

const page = join(import.meta.dirname, '../../../docs/usage/workloads.md');

const names = z.record(z.string(), z.string());
const secrets = z.record(
  z.string(),
  z.object({
    type: z.exactOptional(z.string()),
    keys: z.exactOptional(names),
    values: z.exactOptional(names),
    registry: z.exactOptional(
      z.object({ server: z.string(), username: z.string(), passwordSecretName: z.string() }),
    ),
  }),
);

export type WorkloadSecrets = z.output<typeof secrets>;

/** Returns the setting `workloads.secrets` in the first example of docs/usage/workloads.md. */
export function exampleSecrets(): WorkloadSecrets {
  const [, example = ''] = /^```yaml\n([\s\S]*?)^```/m.exec(readFileSync(page, 'utf8')) ?? [];
  return z.parse(z.object({ workloads: z.object({ secrets }) }), parse(example)).workloads.secrets;
}

/** Returns the names of the vault secrets that provide the values for these Secrets. */
export function vaultNames(settings: WorkloadSecrets): readonly string[] {
  return Object.values(settings).flatMap(({ keys, registry }) =>
    registry ? [registry.passwordSecretName] : Object.values(keys ?? {}),
  );
}

/**
 * Resolves to a line about each of these Secrets in the cluster, with its type and keys but without its values; rejects
 * if a Secret is missing.
 */
export async function secretLines(server: LabNode, settings: WorkloadSecrets): Promise<readonly string[]> {
  const paths = Object.keys(settings);
  const found = await Promise.all(paths.map((path) => secretIn(server, path)));
  return found.map(({ type, data }, at) => `${paths[at]}: ${type} with ${Object.keys(data).join(', ')}`);
}

/**
 * Reads the Secret at `path` (`NAMESPACE/NAME`) with kubectl on the server; rejects if the cluster does not have it.
 */
export async function secretIn(server: LabNode, path: string) {
  const [namespace = '', name = ''] = path.split('/');
  const { stdout, stderr } = await server.run(
    'kubectl',
    'get',
    'secret',
    name,
    '-n',
    namespace,
    '-o',
    'json',
  );
  if (stdout === '') {
    throw new Error(`The cluster has no Secret ${path}: ${stderr}`);
  }
  const { type, data } = z.parse(z.object({ type: z.string(), data: names }), JSON.parse(stdout));
  return { type, data };
}
