/** How the checks run programs and wait in the machine. */
import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export const executable = '/opt/project/dist/slipway-linux-arm64';

export interface Ended {
  readonly exitCode: number | null;
  /** stdout and stderr. */
  readonly output: string;
  readonly stdout: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** Runs a program, and returns its exit code and output; throws if the program cannot be started. */
export function run(
  file: string,
  args: readonly string[],
  { input = '', environment = {} }: RunOptions = {},
): Ended {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    input,
    encoding: 'utf8',
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin', LC_ALL: 'C.UTF-8', ...environment },
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) {
    throw error;
  }
  return { exitCode: status, stdout, output: `${stdout}${stderr}` };
}

/** Runs a program, and returns its trimmed output; throws an Error with the output if the program fails. */
export function ask(file: string, ...args: readonly string[]): string {
  const { exitCode, output } = run(file, args);
  if (exitCode !== 0) {
    throw new Error(`${file} ${args.join(' ')} ended with ${exitCode}:\n${output}`);
  }
  return output.trim();
}

/** Resolves when `happened` returns true; rejects after `seconds` with an Error that names `what`. */
export async function eventually(what: string, seconds: number, happened: () => boolean): Promise<void> {
  for (const end = Date.now() + seconds * 1_000; !happened(); await sleep(500)) {
    if (Date.now() > end) {
      throw new Error(`Waited ${seconds} s for ${what}.`);
    }
  }
}
