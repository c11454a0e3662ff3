/** The surroundings of a service: its environment and its runtime directories (systemd.exec(5)). */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Journal } from './journal.ts';
import { splitCommand, type UnitFile } from './unit-file.ts';

export interface Surroundings {
  readonly root: string;
  readonly binDir: string;
  readonly notifySocket: string;
  readonly journal: Journal;
}

/**
 * Returns the environment of a service: PATH, the variables that systemd adds, and those that the unit and its
 * environment files set. A service does not inherit the environment of the machine.
 */
export function serviceEnvironment(
  file: UnitFile,
  { root, binDir, notifySocket }: Surroundings,
  invocation: string,
): Record<string, string> {
  const runtime = runtimeDirectories(file, root);
  const environment: Record<string, string> = {
    PATH: `${binDir}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    LANG: 'C.UTF-8',
    INVOCATION_ID: invocation,
    JOURNAL_STREAM: '8:1',
    ...(file.last('Service', 'Type') === 'notify' ? { NOTIFY_SOCKET: notifySocket } : {}),
    ...(runtime.length === 0 ? {} : { RUNTIME_DIRECTORY: runtime.join(':') }),
  };
  const assignments = file.all('Service', 'Environment').flatMap((line) => splitCommand(line, {}));
  const fromFiles = file.all('Service', 'EnvironmentFile').flatMap((path) => environmentFile(root, path));
  for (const assignment of [...assignments, ...fromFiles]) {
    const [name = '', ...value] = assignment.split('=');
    environment[name] = value.join('=');
  }
  return environment;
}

export function makeRuntimeDirectories(file: UnitFile, { root }: Surroundings): void {
  const mode = Number.parseInt(file.last('Service', 'RuntimeDirectoryMode') ?? '0755', 8);
  for (const directory of runtimeDirectories(file, root)) {
    mkdirSync(directory, { recursive: true, mode });
  }
}

export function removeRuntimeDirectories(file: UnitFile, { root }: Surroundings): void {
  if ((file.last('Service', 'RuntimeDirectoryPreserve') ?? 'no') !== 'no') {
    return;
  }
  for (const directory of runtimeDirectories(file, root)) {
    rmSync(directory, { recursive: true, force: true });
  }
}

function runtimeDirectories(file: UnitFile, root: string): string[] {
  return file
    .all('Service', 'RuntimeDirectory')
    .flatMap((line) => line.split(/\s+/))
    .map((name) => join(root, 'run', name));
}

function environmentFile(root: string, given: string): string[] {
  const asked = given.replace(/^-/, '');
  const path = asked.startsWith(`${root}/`) ? asked : join(root, asked);
  if (!existsSync(path)) {
    return [];
  }
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => /^\w+=/.test(line))
    .map((line) => line.replace(/^(\w+)=(["'])(.*)\2$/, '$1=$3'));
}
