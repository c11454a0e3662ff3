import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { readableText } from '../../../resources/file-text.ts';
import { configFlags, type GivenFlag } from './given-flags.ts';

/** The values of each flag, by the flag's name without dashes. If K3s takes only one value, the last one counts. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * Returns the flags in the K3s configuration file and in the operator's drop-ins, sorted by file name: a later file
 * wins, and `key+` adds values (pkg/configfilearg/parser.go). Returns no flags from a file that is not valid YAML, with
 * which K3s itself would exit.
 */
export async function k3sFlags(host: HostReader, paths: NodePaths): Promise<Flags> {
  const config = configFlags(await readableText(host, paths.k3s.config), paths.k3s.config);
  return mergedFlags([...config, ...(await dropInFlags(host, paths))]);
}

/** Returns the flags in the operator's drop-ins, in the order in which K3s reads them. */
export async function dropInFlags(host: HostReader, paths: NodePaths): Promise<readonly GivenFlag[]> {
  const found = (await dropInPaths(host, paths)).map(async (path) =>
    configFlags(await readableText(host, path), path),
  );
  return (await Promise.all(found)).flat();
}

/**
 * Returns the paths of the operator's drop-ins, in the order in which K3s reads them. Their names end with `.yaml` or
 * `.yml`, in upper or lower case.
 */
export async function dropInPaths(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  const folder = `${k3s.config}.d`;
  return (await host.list(folder)).filter((name) => /\.ya?ml$/i.test(name)).map((name) => join(folder, name));
}

/**
 * Returns each flag with its effective values: later values replace earlier ones, or are appended to them if `adds` is
 * set.
 */
export function mergedFlags(given: readonly GivenFlag[]): Flags {
  const flags = new Map<string, readonly string[]>();
  for (const { name, values, adds } of given) {
    flags.set(name, [...(adds ? (flags.get(name) ?? []) : []), ...values]);
  }
  return flags;
}

/**
 * Returns the name of a flag that makes kubelet use a credential provider other than Slipway's; `undefined` if no flag
 * does.
 */
export function otherProviderFlag(flags: Flags, { k3s }: NodePaths): string | undefined {
  const usual = {
    'image-credential-provider-config': k3s.credentialProvider,
    'image-credential-provider-bin-dir': k3s.credentialProviderBin,
  };
  const [other] =
    Object.entries(usual).find(([flag, path]) => (flags.get(flag)?.at(-1) ?? path) !== path) ?? [];
  const toKubelet = flags.get('kubelet-arg')?.find((text) => text.startsWith('image-credential-provider-'));
  return other ?? toKubelet?.split('=')[0];
}
