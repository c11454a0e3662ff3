import { statSync } from 'node:fs';
import { fsSize, mem } from 'systeminformation';
import type { Measures } from '../doctor/machine.ts';

const megabyte = 1024 * 1024;

/** Measures memory and disks now; starts `df`. */
export async function measureMachine(): Promise<Measures> {
  const [memory, disks] = await Promise.all([mem(), fsSize()]);
  return {
    memoryAvailable: Math.floor(memory.available / megabyte),
    disks: disks.filter(isDirectory).map(({ mount, size, available }) => ({
      mount,
      size: Math.floor(size / megabyte),
      available: Math.floor(available / megabyte),
    })),
  };
}

/** A container has single files mounted, too. */
function isDirectory({ mount }: { readonly mount: string }): boolean {
  return statSync(mount, { throwIfNoEntry: false })?.isDirectory() === true;
}
