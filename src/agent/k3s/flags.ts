import { join } from 'node:path';
import { isMap } from '../config/path.ts';
import { readYaml } from '../config/yaml.ts';
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
  const files = await Promise.all(
    [k3s.config, ...dropIns.map((name) => join(folder, name))].map((path) => host.readFile(path)),
  );
  const flags = new Map<string, readonly string[]>();
  for (const [key, value] of files.flatMap((file) => entries(file?.content ?? ''))) {
    const name = key.replace(/\+$/, '');
    const before = name === key ? [] : (flags.get(name) ?? []);
    flags.set(name, [...before, ...[value].flat().map(String)]);
  }
  return flags;
}

function entries(content: string): readonly (readonly [string, unknown])[] {
  const { value } = readYaml(content);
  return isMap(value) ? Object.entries(value) : [];
}
