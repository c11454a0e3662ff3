import { type FSWatcher, watch } from 'node:fs';

/** Milliseconds from the first change to the call of `onChange`, because an editor writes a file in several steps. */
const settling = 500;

/** A directory to watch: all of its entries, or only the entry `name`. */
export interface Watched {
  readonly directory: string;
  readonly name?: string;
}

/**
 * Calls `onChange` half a second after a change in one of these directories. Skips a missing directory, and watches it
 * from the next change on, such as its creation in a directory that is watched too. A watch only saves time, and the
 * caller must check regularly in any case. Does not keep the process alive.
 */
export function watchDirectories(places: readonly Watched[], onChange: () => void): void {
  let isSettling = false;
  const settled = () => {
    isSettling = false;
    // A watch ends with its directory, so all watches are replaced before the caller looks.
    const former = watchers;
    watchers = watchAll();
    for (const watcher of former) {
      watcher.close();
    }
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
  const watchAll = () => places.flatMap((place) => watchDirectory(place, changed));
  let watchers = watchAll();
}

/** Returns the watch of a directory; an empty list if the directory cannot be watched. */
function watchDirectory({ directory, name }: Watched, onChange: () => void): readonly FSWatcher[] {
  try {
    const watcher = watch(directory, { persistent: false }, (_, changed) => {
      if (name === undefined || changed === null || changed === name) {
        onChange();
      }
    });
    // An unhandled 'error' event would end the process.
    watcher.on('error', () => watcher.close());
    return [watcher];
  } catch {
    // The directory is missing, or the kernel's limit on watches is reached.
    return [];
  }
}
