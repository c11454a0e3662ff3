import { rmSync, writeFileSync } from 'node:fs';
import type { Architecture } from './architecture.ts';
import { commandFor } from './emulator.ts';
import { run } from './run.ts';

/**
 * Runs the program several times with `node`, an executable for `architecture`, and writes V8's code cache of the
 * program to `cache`. Returns false, and writes an empty file, if this machine cannot run `node`.
 *
 * V8 binds the cache to the processor and to most flags. The finished executable runs without flags, so these runs use
 * only flags that V8 does not check. Every cache of one program has the same bytes, for three reasons: the runs use a
 * fixed seed; they have enough memory to avoid garbage collection, which leaves old bytes in padding; and one thread
 * reads all files, so that the reads end in order.
 */
export function writeCodeCache(
  architecture: Architecture,
  node: string,
  program: string,
  cache: string,
): boolean {
  const command = commandFor(architecture, node);
  if (command === undefined) {
    writeFileSync(cache, '');
    return false;
  }
  const root = `${cache}.root`;
  rmSync(root, { recursive: true, force: true });
  const [file, ...args] = command;
  const runScript = (...script: readonly string[]) =>
    run(file, [...args, ...flags, ...script], { UV_THREADPOOL_SIZE: '1' });
  runScript('packaging/warm.ts', program, root, cache);
  runScript('packaging/renumber.ts', program, cache);
  return true;
}

const flags = ['--random-seed=42', '--min-semi-space-size=256', '--max-semi-space-size=256'];
