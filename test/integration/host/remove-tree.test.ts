import { mkdir, rmdir } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { systemError } from '../../../src/agent/host/files/file-errors.ts';
import { removeTree } from '../../../src/agent/host/files/remove-tree.ts';
import { temporaryFolder } from './folder.ts';

/**
 * Makes every rmdir fail with ENOTEMPTY, as on NFS while a process keeps a removed file open: the NFS client renames
 * the file to a .nfs entry instead of removing it.
 */
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  rmdir: vi.fn(async () => {
    throw systemError('ENOTEMPTY');
  }),
}));

test('the removal of a deep tree whose directories never become empty fails after fewer than 200 attempts', async () => {
  const tree = `${await temporaryFolder()}/tree`;
  await mkdir(`${tree}${'/inner'.repeat(6)}`, { recursive: true });
  await expect(removeTree(tree)).rejects.toMatchObject({ code: 'ENOTEMPTY' });
  expect(vi.mocked(rmdir).mock.calls.length).toBeLessThan(200);
});
