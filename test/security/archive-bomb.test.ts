import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { Routes } from '../../src/agent/host/http/http-agents.ts';
import { bring } from '../integration/host/bring.ts';
import { temporaryFolder } from '../integration/host/folder.ts';
import { serveHttp } from '../integration/host/servers.ts';
import { tarball } from '../lab/tar.ts';

const tools = { routes: new Routes({}) };
const zeros = (bytes: number) => Buffer.alloc(bytes);
const many = Object.fromEntries(Array.from({ length: 1_100 }, (_, n) => [`file-${n}`, Buffer.alloc(0)]));

test.each([
  [
    'a wanted member far larger than its archive',
    tarball({ flux: zeros(60_000_000) }),
    /more than \d+ bytes/,
  ],
  [
    'an oversized member before the wanted member',
    tarball({ other: zeros(60_000_000), flux: zeros(1) }),
    /more than \d+ bytes/,
  ],
  ['more than a thousand entries', tarball(many), /more than 1000 entries/],
  ['compressed text that is not an archive', gzipSync(Buffer.from('x'.repeat(5_000))), /is damaged/],
  ['text that is not compressed', Buffer.from('x'.repeat(5_000)), /is damaged/],
])('a refused archive is not downloaded again: %s', async (_, archive, problem) => {
  const { asked, wanted, folder } = await serve(archive);
  const refusal = { reason: 'DownloadFailed', endedBy: 'person' };
  const message = expect.stringMatching(problem);
  await expect(bring(wanted, tools)).rejects.toMatchObject({ ...refusal, message });
  const again = expect.stringContaining(`rm ${folder}/.flux.slipway-part.refused`);
  await expect(bring(wanted, tools)).rejects.toMatchObject({ ...refusal, message: again });
  expect(asked.filter((path) => path === '/flux.tar.gz')).toHaveLength(1);
  expect((await readdir(folder)).sort()).toEqual(['.flux.slipway-part.json', '.flux.slipway-part.refused']);
});

test('a refused release is installed once its archive has changed', async () => {
  const { wanted, folder, replace } = await serve(Buffer.from('no archive'));
  await expect(bring(wanted, tools)).rejects.toMatchObject({ reason: 'DownloadFailed' });
  replace(tarball({ LICENSE: Buffer.from('x'), flux: Buffer.from('the flux program') }));
  await bring(wanted, tools);
  expect(await readFile(`${folder}/flux`, 'utf8')).toBe('the flux program');
  expect(await readdir(folder)).toEqual(['flux']);
});

async function serve(first: Buffer) {
  let archive = first;
  const asked: string[] = [];
  const port = await serveHttp((request, response) => {
    asked.push(request.url ?? '');
    const sum = createHash('sha256').update(archive).digest('hex');
    response.end(request.url === '/sums' ? `${sum}  flux.tar.gz\n` : archive);
  });
  const folder = await temporaryFolder();
  const wanted = {
    url: `http://127.0.0.1:${port}/flux.tar.gz`,
    checksum: { url: `http://127.0.0.1:${port}/sums`, name: 'flux.tar.gz' },
    path: `${folder}/flux`,
    mode: 0o755,
    member: 'flux',
  };
  const replace = (next: Buffer) => {
    archive = next;
  };
  return { asked, wanted, folder, replace };
}
