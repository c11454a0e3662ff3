/** Waits for changes of files. */
import { mkdirSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Resolves when a file appears or is replaced. */
export function arrival(path: string): Promise<void> {
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const before = inode();
  return until(dirname(path), () => inode() !== undefined && inode() !== before);
}

/** Resolves when `happened` returns true; calls it after every change in a folder. */
export async function until(folder: string, happened: () => boolean): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!happened()) {
        return;
      }
      watcher.close();
      resolve();
    });
  });
}
