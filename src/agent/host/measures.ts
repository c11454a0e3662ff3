import { mem } from 'systeminformation';
import type { Measures } from '../doctor/measures.ts';
import { diskOf } from './files/free-space.ts';

const megabyte = 1024 * 1024;

/** Measures the available memory and the disks of this machine at each call. */
export const machineMeasures: Measures = {
  async memoryAvailable() {
    return Math.floor((await mem()).available / megabyte);
  },
  disk: diskOf,
};
