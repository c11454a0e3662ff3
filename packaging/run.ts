import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { resolve } from 'node:path';

/**
 * Runs a command and returns its standard output; throws an Error with its standard error if it fails. Clears
 * NODE_OPTIONS, because flags of V8 would invalidate the code cache.
 */
export function run(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  return execFileSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
}

/** True if this machine can run a program of that name or path, including programs in sbin. */
export function isInstalled(program: string): boolean {
  return findProgram(program) !== undefined;
}

/** Returns the path of a program, by its name or path, including programs in sbin; `undefined` if it is not there. */
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
