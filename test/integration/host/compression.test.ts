import { randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from './folder.ts';

const limit = 10_000_000;

/** Returns the path of a compressed file of one megabyte that hardly shrinks, in an empty folder. */
async function aPackedFile(): Promise<string> {
  const place = await temporaryFolder();
  const [plain, packed] = [join(place, 'plain'), join(place, 'there/packed.zst')];
  await writeFile(plain, randomBytes(1_000_000));
  await nodeHost().compress({ from: plain, to: packed, limit });
  return packed;
}

test.each([
  ['lacks its end', (bytes: Buffer) => bytes.subarray(0, bytes.length - 10)],
  ['lacks all but its first half', (bytes: Buffer) => bytes.subarray(0, bytes.length / 2)],
  ['has a changed byte', (bytes: Buffer) => bytes.fill(bytes[500_000] === 0 ? 1 : 0, 500_000, 500_001)],
  ['is empty', () => Buffer.alloc(0)],
])('refuses to decompress a file that %s, and leaves no file', async (_, change) => {
  const packed = await aPackedFile();
  await writeFile(packed, change(await readFile(packed)));
  const back = join(packed, '../back');
  await expect(nodeHost().decompress({ from: packed, to: back, limit })).rejects.toMatchObject({
    reason: 'DatabaseDamaged',
    endedBy: 'person',
  });
  expect(await readdir(join(packed, '..'))).toEqual(['packed.zst']);
});
