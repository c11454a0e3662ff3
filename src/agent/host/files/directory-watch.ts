import { watch } from 'node:fs';

/** Milliseconds: an editor writes a file in several steps. */
const settling = 500;

/** The watched entries: all of a directory, or the one of this name. */
export interface Watched {
  readonly directory: string;
  readonly name?: string;
}

/**
 * Calls `onChange` shortly after a change in any of these directories. Missing directories are skipped: a watch only
 * saves time, and the caller must check by itself as well. Keeps no process alive.
 */
export function watchDirectories(places: readonly Watched[], onChange: () => void): void {
  let isSettling = false;
  const settled = () => {
    isSettling = false;
    onChange();
  };
  // The time runs from the first change, so that changes that never rest are reported as well.
  const changed = () => {
    if (isSettling) {
      return;
    }
    isSettling = true;
    setTimeout(settled, settling).unref();
  };
  for (const place of places) {
    watchDirectory(place, changed);
  }
}

function watchDirectory({ directory, name }: Watched, onChange: () => void): void {
  try {
    const watcher = watch(directory, { persistent: false }, (_, changed) => {
      if (name === undefined || changed === null || changed === name) {
        onChange();
      }
    });
    // The directory was removed, or the kernel gives no more watches.
    watcher.on('error', () => watcher.close());
  } catch {
    // The directory is missing.
  }
}
