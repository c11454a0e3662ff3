import { watch } from 'node:fs';

/** Milliseconds: an editor writes a file in several steps. */
const settling = 500;

/**
 * Calls `onChange` shortly after something changed in any of these directories. Those that are missing are passed
 * over: this is for promptness only, and whoever is called looks by himself as well. Keeps no process alive.
 */
export function watchDirectories(paths: readonly string[], onChange: () => void): void {
  let timer: NodeJS.Timeout | undefined;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(onChange, settling).unref();
  };
  for (const path of paths) watchDirectory(path, changed);
}

function watchDirectory(path: string, onChange: () => void): void {
  try {
    const watcher = watch(path, { persistent: false }, onChange);
    // The directory went, or the kernel gives no more watches.
    watcher.on('error', () => watcher.close());
  } catch {
    // Not there.
  }
}
