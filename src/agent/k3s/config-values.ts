import { isMap } from '../config/path.ts';
import { k3sDialect, readYaml } from '../config/yaml.ts';
import type { HostReader } from '../core/host.ts';
import type { NodePaths } from '../paths.ts';
import { dropInPaths, readableText } from './flags.ts';
import { foreignUnit } from './foreign-unit.ts';
import { flagOf, isList, unitFlags } from './given-flags.ts';
import { dropInStart, inlineVariables, variableFlags } from './unit-flags.ts';

/** What K3s is told, by the names of flags: each value as its file has it. */
export type K3sValues = Readonly<Record<string, unknown>>;

/**
 * Returns what a server is told by its variables, its configuration file, the operator's drop-ins and the command line of
 * a unit that another program wrote or a drop-in of the unit changes, later ones winning; `key+` adds to a list.
 */
export async function k3sValues(host: HostReader, paths: NodePaths): Promise<K3sValues> {
  const files = [paths.k3s.config, ...(await dropInPaths(host, paths))];
  const values: Record<string, unknown> = await variableValues(host, paths);
  for (const [key, value] of (await Promise.all(files.map((path) => entriesOf(host, path)))).flat()) {
    const name = flagOf(key);
    values[name] = key.endsWith('+') ? [values[name] ?? [], value].flat() : value;
  }
  return { ...values, ...(await unitValues(host, paths)) };
}

/** What one configuration file says. */
export async function valuesIn(host: HostReader, path: string): Promise<K3sValues> {
  const entries = await entriesOf(host, path);
  return Object.fromEntries(entries.map(([key, value]) => [flagOf(key), value]));
}

async function variableValues(host: HostReader, paths: NodePaths): Promise<Record<string, unknown>> {
  const unit = await foreignUnit(host, { kind: 'server', paths });
  const flags = [
    ...(unit ? inlineVariables(unit) : []),
    ...(await variableFlags(host, { kind: 'server', paths })),
  ];
  return Object.fromEntries(flags.map(({ name, values }) => [name, values.at(-1)]));
}

async function unitValues(host: HostReader, paths: NodePaths): Promise<K3sValues> {
  const unit = await foreignUnit(host, { kind: 'server', paths });
  const changed = await dropInStart(host, { kind: 'server', paths });
  const values: Record<string, unknown> = {};
  for (const { name, values: given } of changed ?? (unit ? unitFlags(unit.text, unit.path) : [])) {
    values[name] = isList(name) ? [values[name] ?? [], given].flat() : given.at(-1);
  }
  return values;
}

async function entriesOf(host: HostReader, path: string): Promise<readonly (readonly [string, unknown])[]> {
  const { value } = readYaml(await readableText(host, path), k3sDialect);
  return isMap(value) ? Object.entries(value) : [];
}
