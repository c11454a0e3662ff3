import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errnoOf, fileError } from './file-errors.ts';

const megabyte = 1024 * 1024;

/**
 * Returns size and free space, in megabytes, of the disk of a path, or of its nearest parent if the path does not
 * exist.
 */
export async function diskOf(path: string): Promise<{ readonly size: number; readonly available: number }> {
  const { bsize, blocks, bavail } = await fileSystemOf(path);
  return {
    size: Math.floor((blocks * bsize) / megabyte),
    available: Math.floor((bavail * bsize) / megabyte),
  };
}

/** Follows links to a disk. */
async function fileSystemOf(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT' || path === dirname(path)) {
      throw fileError(thrown, 'measure', path);
    }
    return fileSystemOf(dirname(path));
  }
}
