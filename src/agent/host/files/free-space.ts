import { type StatsFs, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { errnoOf, fileError } from './file-errors.ts';

const megabyte = 1024 * 1024;

/**
 * Returns the size and the free space, in megabytes, of the file system that contains a path. If the path does not
 * exist, its nearest existing parent counts. Throws the errors of files.
 */
export async function diskOf(path: string): Promise<{ readonly size: number; readonly available: number }> {
  const { bsize, blocks, bavail } = fileSystemOf(path);
  return {
    size: Math.floor((blocks * bsize) / megabyte),
    available: Math.floor((bavail * bsize) / megabyte),
  };
}

/** Returns the statistics of the file system that contains a path, or its nearest existing parent. Follows links. */
function fileSystemOf(path: string): StatsFs {
  try {
    return statfsSync(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT' || path === dirname(path)) {
      throw fileError(thrown, 'measure', path);
    }
    return fileSystemOf(dirname(path));
  }
}
