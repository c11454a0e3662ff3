import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { isExecutable } from '../src/launcher/executable.ts';

/**
 * Runs a command to its end and returns what it printed; a failure throws with its stderr. NODE_OPTIONS is left out:
 * flags of V8 would spoil the code cache.
 */
export function run(file: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): string {
  return execFileSync(file, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, NODE_OPTIONS: '', ...environment },
  });
}

/** Whether a program of that name or path can be run here, those of administrators included. */
export function isInstalled(program: string): boolean {
  const folders = `${process.env.PATH}:/usr/sbin:/sbin`.split(':');
  return folders.some((folder) => isExecutable(resolve(folder, program)));
}
