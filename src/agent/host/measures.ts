import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mem } from 'systeminformation';
import type { Measures } from '../doctor/machine.ts';
import { errnoOf } from './file-errors.ts';

const megabyte = 1024 * 1024;

/** Measures this machine, each thing when it is asked for; links that lead to a disk are followed. */
export const machineMeasures: Measures = {
  async memoryAvailable() {
    return Math.floor((await mem()).available / megabyte);
  },
  async disk(path) {
    const { bsize, blocks, bavail } = await fileSystemOf(path);
    return {
      size: Math.floor((blocks * bsize) / megabyte),
      available: Math.floor((bavail * bsize) / megabyte),
    };
  },
};

async function fileSystemOf(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT' || path === dirname(path)) throw thrown;
    return fileSystemOf(dirname(path));
  }
}
