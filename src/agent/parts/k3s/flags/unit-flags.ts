import { join } from 'node:path';
import type { Role } from '../../../../roles/role.ts';
import type { HostReader } from '../../../engine/host.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { readableText } from '../../../resources/file-text.ts';
import { assigned, unitLines, unitWords } from '../../../resources/unit-text.ts';
import { unitFolders } from './foreign-unit.ts';
import { execStart, type GivenFlag, k3sCommandLine, unitFlags } from './given-flags.ts';

/** A K3s unit: its kind, `server` or `agent`, and the paths of its node. */
export interface UnitPlace {
  readonly kind: Role['k3s'];
  readonly paths: NodePaths;
}

/** A unit file, or a drop-in of a unit. */
export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/**
 * The flag that each environment variable of K3s sets unless a file or the command line sets that flag (pkg/cli/cmds,
 * EnvVars). K3S_TOKEN and K3S_AGENT_TOKEN are left out, since the token files, which Slipway sets, take precedence over
 * both (pkg/cli/server, run).
 */
const variables: Readonly<Record<string, string>> = {
  K3S_DATA_DIR: 'data-dir',
  K3S_CONFIG_FILE: 'config',
  K3S_NODE_NAME: 'node-name',
  K3S_URL: 'server',
  K3S_TOKEN_FILE: 'token-file',
  K3S_AGENT_TOKEN_FILE: 'agent-token-file',
  K3S_KUBECONFIG_OUTPUT: 'write-kubeconfig',
  K3S_CLUSTER_INIT: 'cluster-init',
  K3S_CLUSTER_RESET: 'cluster-reset',
  K3S_DATASTORE_ENDPOINT: 'datastore-endpoint',
};

/** The names of the environment variables that K3s reads as flags. */
export const flagVariables: readonly string[] = Object.keys(variables);

/**
 * Returns the flags in the environment of K3s: those in the unit's drop-ins, then those in the environment files, which
 * take precedence. Every configuration file takes precedence over the environment.
 */
export async function variableFlags(host: HostReader, at: UnitPlace): Promise<readonly GivenFlag[]> {
  return unitVariables(host, await unitDropIns(host, at), unitEnvironmentFiles(at));
}

/**
 * Returns the flags in the environment that unit files give K3s: in their Environment= lines, in the files that their
 * EnvironmentFile= lines name, and in the environment files `others`.
 */
export async function unitVariables(
  host: HostReader,
  units: readonly UnitFile[],
  others: readonly string[] = [],
): Promise<readonly GivenFlag[]> {
  const named = units.flatMap(({ text }) => assigned(unitLines(text), 'EnvironmentFile'));
  const files = [...others, ...named.map(({ value }) => value.replace(/^-/, ''))];
  const texts = await Promise.all(files.map((path) => readableText(host, path)));
  const pairs = texts.flatMap((text, index) => fileVariables({ text, path: files[index] ?? '' }));
  return [...units.flatMap(inlineVariables), ...pairs];
}

/** Returns the flags that the Environment= lines of a unit file give K3s. */
export function inlineVariables({ text, path }: UnitFile): readonly GivenFlag[] {
  return assigned(unitLines(text), 'Environment').flatMap(({ value, line }) =>
    unitWords(value).flatMap((pair) => variable(pair, path, line)),
  );
}

/**
 * Returns the flags in the last ExecStart= among the unit's drop-ins; `undefined` if no drop-in has an ExecStart=. If
 * that command is not the K3s command of this unit, returns one flag, `ExecStart`, with the whole command as its value.
 */
export async function dropInStart(
  host: HostReader,
  at: UnitPlace,
): Promise<readonly GivenFlag[] | undefined> {
  const last = (await unitDropIns(host, at)).findLast(({ text }) => execStart(text));
  if (!last) {
    return undefined;
  }
  const { value = '', line = 1 } = execStart(last.text) ?? {};
  const isPlain = k3sCommandLine(unitWords(value))?.command === at.kind;
  const other = { name: 'ExecStart', values: [value], path: last.path, line, adds: false };
  return isPlain ? unitFlags(last.text, last.path) : [other];
}

/** Returns the paths of the unit's environment files, including that of the K3s installer; a later file wins. */
export function unitEnvironmentFiles({ kind, paths }: UnitPlace): readonly string[] {
  const unit = unitName(kind);
  const name = unit.replace(/\.service$/, '');
  return [
    join(paths.root, 'etc/default', name),
    join(paths.root, 'etc/sysconfig', name),
    join(paths.system.units, `${unit}.env`),
  ];
}

/**
 * Returns the drop-ins of the unit from all folders, sorted by name. If two drop-ins have the same name, systemd reads
 * only the one in the folder of higher precedence (systemd.unit(5)).
 */
async function unitDropIns(host: HostReader, { kind, paths }: UnitPlace): Promise<readonly UnitFile[]> {
  const found = new Map<string, string>();
  for (const folder of unitFolders.toReversed()) {
    const directory = join(paths.root, folder, `${unitName(kind)}.d`);
    for (const name of await host.list(directory)) {
      found.set(name, join(directory, name));
    }
  }
  const dropIns = [...found].filter(([name]) => name.endsWith('.conf')).sort(([a], [b]) => (a < b ? -1 : 1));
  return Promise.all(dropIns.map(async ([, path]) => ({ path, text: await readableText(host, path) })));
}

function fileVariables({ text, path }: UnitFile): readonly GivenFlag[] {
  return text.split('\n').flatMap((line, index) => variable(unitWords(line).join(' '), path, index + 1));
}

function variable(pair: string, path: string, line: number): readonly GivenFlag[] {
  const [, key = '', value = ''] = /^([A-Z0-9_]+)=(.*)$/s.exec(pair.trim()) ?? [];
  const name = Object.hasOwn(variables, key) ? variables[key] : undefined;
  return name === undefined || value === '' ? [] : [{ name, values: [value], path, line, adds: false }];
}
