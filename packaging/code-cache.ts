import { rmSync, writeFileSync } from 'node:fs';
import type { Architecture } from './architecture.ts';
import { commandFor } from './emulator.ts';
import { run } from './run.ts';

/**
 * Writes V8's code cache for the program to `cache`, after several runs of the program by `node`, an executable for
 * `architecture`. Returns false, and writes an empty file, if this machine cannot run that executable.
 *
 * V8 binds the cache to the processor and to most flags. The finished executable runs without flags, so the cache is
 * made only with flags that V8 does not check. Two caches of one program are equal because the runs use the same seed;
 * have enough memory to avoid garbage collection, after which V8 would leave old bytes in padding; and read files in
 * one thread, so that reads end in order.
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
