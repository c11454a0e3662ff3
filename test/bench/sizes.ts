/** Measures the size of the executable, plain and compressed for a download. */
import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import type { Row } from './measure.ts';

export async function sizes(executable: string, compress: boolean): Promise<readonly Row[]> {
  const raw = row('raw', statSync(executable).size);
  return compress ? [raw, row('xz -9', await compressedSize(executable))] : [raw];
}

async function compressedSize(executable: string): Promise<number> {
  const { stdout } = await promisify(execFile)('sh', ['-c', 'xz -9 -c "$0" | wc -c', executable]);
  return Number(stdout);
}

function row(how: string, size: number): Row {
  return {
    measure: `size, ${how}`,
    contender: 'slipway',
    unit: 'bytes',
    median: size,
    min: size,
    max: size,
    runs: 1,
  };
}
