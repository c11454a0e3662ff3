import { join } from 'node:path';
import { isMap } from '../config/path.ts';
import { readYaml } from '../config/yaml.ts';
import { NodeError } from '../core/errors.ts';
import type { HostReader } from '../core/host.ts';
import type { NodePaths } from '../paths.ts';

/** The values of each flag, by its name without dashes; the last one counts where K3s takes only one. */
export type Flags = ReadonlyMap<string, readonly string[]>;

/**
 * What K3s is told by its configuration file and the drop-ins of the operator, in the order of their names: a later
 * file wins, and `key+` adds (pkg/configfilearg/parser.go). A file that is no YAML, on which K3s ends, tells nothing.
 */
export async function k3sFlags(host: HostReader, { k3s }: NodePaths): Promise<Flags> {
  const folder = `${k3s.config}.d`;
  const dropIns = (await host.list(folder)).filter((name) => /\.ya?ml$/.test(name));
  const texts = await Promise.all(
    [k3s.config, ...dropIns.map((name) => join(folder, name))].map((path) => readableText(host, path)),
  );
  const flags = new Map<string, readonly string[]>();
  for (const [key, value] of texts.flatMap(entries)) {
    const name = key.replace(/\+$/, '');
    const before = name === key ? [] : (flags.get(name) ?? []);
    flags.set(name, [...before, ...[value].flat().map(String)]);
  }
  return flags;
}

/** The flag by which an operator has kubelet ask another provider, where there is one. */
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

/** The text of a file, and nothing where there is none to read: a folder may have the name of one. */
export async function readableText(host: HostReader, path: string): Promise<string> {
  const kind = (await host.stat(path))?.kind;
  if (kind !== 'file' && kind !== 'link') return '';
  try {
    return (await host.readFile(path))?.content ?? '';
  } catch (error) {
    if (error instanceof NodeError) return '';
    throw error;
  }
}

function entries(content: string): readonly (readonly [string, unknown])[] {
  const { value } = readYaml(content);
  return isMap(value) ? Object.entries(value) : [];
}
