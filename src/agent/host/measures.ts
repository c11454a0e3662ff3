import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { mem } from 'systeminformation';
import type { Measures } from '../doctor/machine.ts';
import { errnoOf } from './file-errors.ts';

const megabyte = 1024 * 1024;

/** Measures memory, and the disk on which the path is, or would be if it were made; links are followed. */
export async function measureMachine(path: string): Promise<Measures> {
  const [{ available }, { bsize, blocks, bavail }] = await Promise.all([mem(), fileSystemOf(path)]);
  return {
    memoryAvailable: Math.floor(available / megabyte),
    diskSize: Math.floor((blocks * bsize) / megabyte),
    diskAvailable: Math.floor((bavail * bsize) / megabyte),
  };
}

async function fileSystemOf(path: string): Promise<StatsFs> {
  try {
    return await statfs(path);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT' || path === dirname(path)) throw thrown;
    return fileSystemOf(dirname(path));
  }
}
