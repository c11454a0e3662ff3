/** What happens to files, as soon as it happens. */
import { mkdirSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Resolves when a file gets its name: a new one, or another in place of the one that is there now. */
export function arrival(path: string): Promise<void> {
  const inode = () => statSync(path, { throwIfNoEntry: false })?.ino;
  const before = inode();
  return until(dirname(path), () => inode() !== undefined && inode() !== before);
}

/** Resolves when it happened, by a look after every change in a folder. */
export async function until(folder: string, happened: () => boolean): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await new Promise<void>((resolve) => {
    const watcher = watch(folder, () => {
      if (!happened()) return;
      watcher.close();
      resolve();
    });
  });
}
