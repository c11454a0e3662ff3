import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Runs a command and returns its standard output; if the command fails, throws an Error that contains its standard
 * error. Clears NODE_OPTIONS, because V8 flags in it would invalidate the code cache.
 */
export function run(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  return execFileSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
}

/**
 * True if this machine has the executable `program`, a name or a path. Looks up a name in PATH, /usr/sbin and /sbin.
 */
export function isInstalled(program: string): boolean {
  return findProgram(program) !== undefined;
}

/**
 * Returns the path of the executable `program`, a name or a path; `undefined` if it does not exist. Looks up a name in
 * PATH, /usr/sbin and /sbin.
 */
export function findProgram(program: string): string | undefined {
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':');
  return folders.map((folder) => resolve(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
