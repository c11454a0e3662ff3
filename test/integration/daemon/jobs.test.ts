import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { nodePaths } from '../../../src/agent/paths.ts';
import { rootWith, startSlipway } from '../../security/process.ts';
import { serveHttp } from '../host/servers.ts';

const version = 'v1.36.3+k3s1';
const k3s = `#!/bin/sh\necho "k3s version ${version} (1a2b3c4d)"\n`;
const digest = createHash('sha256').update(k3s).digest('hex');

/**
 * Starts a daemon with no commands in its PATH, and waits until it downloads K3s from a mirror that pauses after ten
 * bytes.
 */
async function fetching() {
  const responses: ServerResponse[] = [];
  const port = await serveHttp((request, response) => {
    if (request.url?.endsWith('.txt')) {
      return void response.end(`${digest}  k3s\n${digest}  k3s-arm64\n`);
    }
    response.writeHead(200, { etag: '"v1"', 'content-length': k3s.length }).write(k3s.slice(0, 10));
    responses.push(response);
  });
  const root = await rootWith({
    ...{ cloud: 'static', role: 'server', static: { computerName: 'vm', address: '127.0.0.1' } },
    k3s: { version, releaseUrl: `http://127.0.0.1:${port}` },
  });
  const paths = nodePaths(root);
  const daemon = startSlipway(['run', '--root', root], ['ignore', 'pipe', 'ignore'], {
    PATH: '/nonexistent',
  });
  let said = '';
  daemon.stdout?.on('data', (text) => {
    said += text;
  });
  const seen = async () => {
    const { conditions } = JSON.parse(await readFile(paths.slipway.status, 'utf8'));
    const { status, reason } = conditions.find(({ type }: { type: string }) => type === 'K3sBinary') ?? {};
    return `${status} ${reason}`;
  };
  await expect.poll(() => seen().catch(() => ''), { timeout: 20_000 }).toBe('Unknown InProgress');
  return {
    daemon,
    paths,
    seen,
    said: () => said,
    responses,
    part: `${root}/usr/local/bin/.k3s.slipway-part`,
  };
}

test('the daemon makes passes during a download of K3s, and wakes when the download ends', {
  timeout: 60_000,
}, async () => {
  const { paths, seen, said, responses } = await fetching();
  expect(JSON.parse(await readFile(paths.slipway.k3sDownload, 'utf8'))).toMatchObject({ format: 1 });
  for (const response of responses) {
    response.end(k3s.slice(10));
  }
  await expect.poll(seen, { timeout: 20_000 }).toMatch(/^True/);
  // A pass may find the downloaded file before the daemon logs the end of the download.
  await expect.poll(said).toContain('the end of a job');
  expect(await readFile(paths.k3s.binary, 'utf8')).toBe(k3s);
  expect(existsSync(paths.slipway.k3sDownload)).toBe(false);
});

test('the daemon exits on SIGTERM during a download, and keeps the partial file', {
  timeout: 60_000,
}, async () => {
  const { daemon, paths, part } = await fetching();
  await expect.poll(() => readFile(part, 'utf8').catch(() => '')).toBe(k3s.slice(0, 10));
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
  expect(existsSync(paths.slipway.k3sDownload)).toBe(false);
  expect(existsSync(paths.slipway.lock)).toBe(false);
  expect(await readFile(part, 'utf8')).toBe(k3s.slice(0, 10));
});
