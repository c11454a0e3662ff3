import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { nodeHost } from '../../../src/agent/host/node-host.ts';
import { temporaryFolder } from './folder.ts';

test('two processes that write one file at the same time succeed and leave no draft', async () => {
  const root = await temporaryFolder();
  const module = new URL('../../../src/agent/host/files/atomic-write.ts', import.meta.url).href;
  const script = `
    const { atomicWrite } = await import('${module}');
    const end = Date.now() + 1_000;
    while (Date.now() < end) await atomicWrite('${root}/file', 'whole', 0o600);`;
  const write = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  await Promise.all([write(), write()]);
  await writeFile(`${root}/.file.slipway-tmp-4194305.1-deadbeef-1`, 'half');
  await nodeHost().writeFile(`${root}/file`, 'last', { mode: 0o600 });
  expect(await readdir(root)).toEqual(['file']);
});
