import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

type Architecture = 'x64' | 'arm64';

/** Returns the path of the executable for an architecture; throws an error with the build command if it is missing. */
export function packaged(architecture: Architecture): string {
  const path = resolve('dist', `slipway-linux-${architecture}`);
  if (!existsSync(path)) {
    throw new Error(`${path} is missing: run npm run package first.`);
  }
  return path;
}

/** Returns the path of the executable for this machine; throws an error with the build command if it is missing. */
export function executable(): string {
  return packaged(process.arch === 'arm64' ? 'arm64' : 'x64');
}

export interface Ended {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Returns the line with which the executable reports that it ignores these variables. */
export function ignored(...names: readonly string[]): string {
  const repair = 'unset them, and use settings instead, such as network.caFile';
  return `slipway: ignored from the environment: ${names.join(', ')}; ${repair}`;
}

/**
 * Runs a program with only the PATH of this process and the given variables; returns its exit code and output. Throws
 * an error if the program cannot be started.
 */
export function runProgram(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Ended {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    env: { PATH: process.env.PATH, ...environment },
    encoding: 'utf8',
  });
  if (error !== undefined) {
    throw error;
  }
  return { exitCode: status, stdout, stderr };
}
