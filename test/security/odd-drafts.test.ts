import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { link, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { bringBy } from '../integration/host/bring.ts';
import { temporaryFolder } from '../integration/host/folder.ts';

const run = promisify(execFile);

const release = '#!/bin/sh\necho k3s\n';
const digest = createHash('sha256').update(release).digest('hex');

async function releaseAt(folder: string, answer = (response: ServerResponse) => response.end(release)) {
  const server = createServer((request, response) => {
    if (request.url === '/sums') {
      response.end(`${digest}  k3s\n`);
    } else {
      answer(response);
    }
  });
  server.listen(0, '127.0.0.1');
  onTestFinished(() => void server.close().closeAllConnections());
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const checksum = { url: `${base}/sums`, name: 'k3s' };
  return { url: `${base}/k3s`, path: `${folder}/k3s`, mode: 0o755, checksum };
}

type Make = (path: string, victim: string) => Promise<unknown>;

const oddities: Readonly<Record<string, Make>> = {
  'a link to a file': (path, victim) => symlink(victim, path),
  'a hard link to a file': (path, victim) => link(victim, path),
  'a link to an endless device': (path) => symlink('/dev/zero', path),
  'a dangling link': (path, victim) => symlink(`${victim}.new`, path),
  'a pipe that nothing reads': (path) => run('mkfifo', [path]),
  'a directory': (path) => mkdir(`${path}/in/it`, { recursive: true }),
};

describe('a download', () => {
  const drafts = ['.k3s.slipway-part', '.k3s.slipway-part.json', '.k3s.slipway-part.refused'];

  test.each(Object.entries(oddities))(
    'replaces %s at the path of a draft, and does not block',
    async (_name, make) => {
      for (const draft of drafts) {
        const folder = await temporaryFolder();
        const victim = `${folder}/victim`;
        await writeFile(victim, 'of another');
        await make(`${folder}/${draft}`, victim);
        await bringBy(nodeHost(), await releaseAt(folder));
        expect(await readFile(victim, 'utf8')).toBe('of another');
        expect(await readFile(`${folder}/k3s`, 'utf8')).toBe(release);
        await expect(readFile(`${victim}.new`)).rejects.toThrow('ENOENT');
      }
    },
  );
});

test.each(['null', '{', '[]', '{"url":1}', 'an invalid validator header', 'a validator that is not text'])(
  'a download starts over if its resume note is damaged: %s',
  async (damage) => {
    const folder = await temporaryFolder();
    const wanted = await releaseAt(folder);
    const notes: Readonly<Record<string, string>> = {
      'an invalid validator header': JSON.stringify({ url: wanted.url, validator: 'a\nb' }),
      'a validator that is not text': JSON.stringify({ url: wanted.url, validator: { reveal: 1 } }),
    };
    await writeFile(`${folder}/.k3s.slipway-part`, 'begun');
    await writeFile(`${folder}/.k3s.slipway-part.json`, notes[damage] ?? damage);
    await bringBy(nodeHost(), wanted);
    expect(await readFile(`${folder}/k3s`, 'utf8')).toBe(release);
  },
);

test.each(['file:///etc/passwd', 'ftp://127.0.0.1/k3s', 'data:,k3s'])(
  'a download refuses a redirect to %s, and the error states the cause',
  async (location) => {
    const wanted = await releaseAt(await temporaryFolder(), (response) =>
      response.writeHead(302, { location }).end(),
    );
    await expect(nodeHost().download(wanted)).rejects.toMatchObject({
      reason: 'DownloadFailed',
      message: expect.stringContaining('which is not http or https'),
    });
  },
);

test('a pipe as network.caFile makes requests fail without blocking the process', async () => {
  const folder = await temporaryFolder();
  await run('mkfifo', [`${folder}/ca.pem`]);
  const host = nodeHost({ caFile: `${folder}/ca.pem` });
  const asked = Array.from({ length: 8 }, () => host.get({ url: 'https://127.0.0.1:1/', timeout: 10_000 }));
  for (const { status, reason } of (await Promise.allSettled(asked)).map(asRejection)) {
    expect(status).toBe('rejected');
    expect(reason).toMatchObject({ reason: 'FileSystemError' });
  }
  expect(await host.list(folder)).toEqual(['ca.pem']);
});

function asRejection(settled: PromiseSettledResult<unknown>) {
  return settled.status === 'rejected' ? settled : { status: settled.status, reason: undefined };
}

test('a link in a directory whose name begins with two dots does not lead out of the root directory', async () => {
  const outside = await temporaryFolder();
  const root = await temporaryFolder();
  await mkdir(`${root}/..data`);
  await symlink(outside, `${root}/..data/link`);
  await nodeHost({ root }).writeFile(`${root}/..data/link/file`, 'x', { mode: 0o600 });
  await expect(readFile(`${outside}/file`)).rejects.toThrow('ENOENT');
});
