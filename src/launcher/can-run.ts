import { closeSync, openSync } from 'node:fs';

/** The longest time that an executable may take to print its version, in milliseconds. */
const longestAnswer = 10_000;

/**
 * True if this process can execute the file at `path`, and the file prints `answer` when it is run with the argument
 * `version` in this environment. The permission to execute is not enough: an emulator without binfmt_misc, a seccomp
 * filter or a security module may still refuse. Without /proc, always false.
 *
 * The file is executed through a descriptor that is closed on execution. If the kernel does not know the format of a
 * file, the C library runs the file as a shell script instead; the shell then finds no file.
 */
export function canRun(path: string, environment: Readonly<Record<string, string>>, answer: string): boolean {
  try {
    const file = openSync(path, 'r');
    try {
      return output(`/proc/self/fd/${file}`, environment) === answer;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

/** Returns the output of the executable; `undefined` if it fails or cannot be executed. */
function output(path: string, env: Readonly<Record<string, string>>): string | undefined {
  const { spawnSync } = process.getBuiltinModule('node:child_process');
  const { status, stdout } = spawnSync(path, ['version'], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: longestAnswer,
  });
  return status === 0 ? stdout : undefined;
}
