import { execFileSync } from 'node:child_process';

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

/** Whether a command of that name can be run here. */
export function isInstalled(file: string): boolean {
  try {
    run(file, ['--version']);
    return true;
  } catch {
    return false;
  }
}
