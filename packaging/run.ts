import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { isExecutable } from '../src/launcher/executable.ts';

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
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => isExecutable(resolve(folder, program)));
}
