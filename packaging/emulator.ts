import { type Architecture, toolchains } from './architecture.ts';
import { findProgram } from './run.ts';

/**
 * Returns the command that runs an executable for `architecture` on this machine: the executable itself, or an emulator
 * that runs it; `undefined` if neither is possible.
 */
export function commandFor(
  architecture: Architecture,
  executable: string,
): readonly [string, ...string[]] | undefined {
  if (architecture === process.arch) {
    return [executable];
  }
  const [name, ...options] = toolchains[architecture].emulator;
  const emulator = findProgram(name);
  return emulator === undefined ? undefined : [emulator, ...options, executable];
}
