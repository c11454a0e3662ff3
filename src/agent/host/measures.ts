import { mem } from 'systeminformation';
import type { Measures } from '../doctor/measures.ts';
import { diskOf } from './files/free-space.ts';

const megabyte = 1024 * 1024;

/** The measurements of this machine, each taken on request. */
export const machineMeasures: Measures = {
  async memoryAvailable() {
    return Math.floor((await mem()).available / megabyte);
  },
  disk: diskOf,
};
