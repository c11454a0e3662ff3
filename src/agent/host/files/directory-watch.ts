import { watch } from 'node:fs';

/** Milliseconds: an editor writes a file in several steps. */
const settling = 500;

/** What is watched: all entries of a directory, or the one of this name. */
export interface Watched {
  readonly directory: string;
  readonly name?: string;
}

/**
 * Calls `onChange` shortly after something changed in any of these directories. Those that are missing are passed
 * over: this is for promptness only, and whoever is called looks by himself as well. Keeps no process alive.
 */
export function watchDirectories(places: readonly Watched[], onChange: () => void): void {
  let isSettling = false;
  const settled = () => {
    isSettling = false;
    onChange();
  };
  // The time runs from the first change on: changes that never rest are told too.
  const changed = () => {
    if (isSettling) return;
    isSettling = true;
    setTimeout(settled, settling).unref();
  };
  for (const place of places) watchDirectory(place, changed);
}

function watchDirectory({ directory, name }: Watched, onChange: () => void): void {
  try {
    const watcher = watch(directory, { persistent: false }, (_, changed) => {
      if (name === undefined || changed === null || changed === name) onChange();
    });
    // The directory went, or the kernel gives no more watches.
    watcher.on('error', () => watcher.close());
  } catch {
    // Not there.
  }
}
