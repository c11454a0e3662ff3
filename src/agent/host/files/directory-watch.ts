import { watch } from 'node:fs';

/** Milliseconds from the first change to the call of `onChange`, because an editor writes a file in several steps. */
const settling = 500;

/** A directory to watch: all of its entries, or only the entry `name`. */
export interface Watched {
  readonly directory: string;
  readonly name?: string;
}

/**
 * Calls `onChange` half a second after a change in one of these directories. Skips missing directories: a watch only
 * saves time, and the caller must check regularly in any case. Does not keep the process alive.
 */
export function watchDirectories(places: readonly Watched[], onChange: () => void): void {
  let isSettling = false;
  const settled = () => {
    isSettling = false;
    onChange();
  };
  // Counts from the first change, so that a constant stream of changes is reported too.
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
    // An unhandled 'error' event would end the process.
    watcher.on('error', () => watcher.close());
  } catch {
    // The directory is missing, or the kernel's limit on watches is reached.
  }
}
