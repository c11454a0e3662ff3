/** Tests that the release mirror behaves like the release pages of GitHub and the channel server of K3s. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { nodeHost } from '../../src/agent/host/node-host.ts';
import { askChannels } from '../../src/agent/parts/k3s/upgrade/channel/list.ts';
import { bringBy } from '../integration/host/bring.ts';
import { type Azure, startAzure } from '../lab/azure/index.ts';
import { type Mirror, startMirror } from '../lab/mirror.ts';
import { runProgram } from '../lab/processes.ts';

const release = 'https://github.com/k3s-io/k3s/releases/download/v1.36.3%2Bk3s1';
const directory = mkdtempSync(join(tmpdir(), 'slipway-mirror-'));
let azure: Azure;
let mirror: Mirror;

beforeAll(async () => {
  azure = await startAzure();
  mirror = await startMirror(azure);
});
afterAll(async () => {
  await mirror.stop();
  await azure.stop();
  rmSync(directory, { recursive: true });
});

test('the mirror redirects a request for a release file to release-assets.githubusercontent.com', async () => {
  const { status, headers } = await host().get({ url: `${release}/k3s` });
  expect(status).toBe(302);
  expect(headers.location).toMatch(/^https:\/\/release-assets\.githubusercontent\.com\//);
});

test('the mirror answers 404 for a release whose + is not encoded', async () => {
  const { status } = await host().get({ url: `${release.replace('%2B', '+')}/k3s` });
  expect(status).toBe(404);
});

test.each(['truncate', 'unavailable', 'corrupt'] as const)(
  'a download with the fault %s fails, and the next download succeeds',
  async (fault) => {
    mirror.fail(fault, { on: /\/k3s$/, times: 1 });
    const path = join(directory, fault);
    await expect(host().download(k3s(path))).rejects.toThrow();
    await bringBy(host(), k3s(path));
    const { stdout } = await runProgram(path, ['--version'], {});
    expect(stdout).toContain('v1.36.3+k3s1');
  },
);

test('the channel server lists its channels, redirects from one channel to its release, and knows no other path', async () => {
  mirror.channels.set('stable', 'v1.36.3+k3s1');
  const url = 'https://update.k3s.io/v1-release/channels';
  expect(await askChannels(host(), url)).toEqual(new Map([['stable', 'v1.36.3+k3s1']]));
  const one = await host().get({ url: `${url}/stable` });
  expect([one.status, one.headers.location]).toEqual([
    302,
    'https://github.com/k3s-io/k3s/releases/tag/v1.36.3%2Bk3s1',
  ]);
  for (const path of [`${url}/`, `${url}/newest`, 'https://update.k3s.io/']) {
    expect((await host().get({ url: path })).status).toBe(404);
  }
});

test('the mirror serves flux in an archive with a checksum', async () => {
  const path = join(directory, 'flux');
  const base = 'https://github.com/fluxcd/flux2/releases/download/v2.9.4';
  const name = 'flux_2.9.4_linux_amd64.tar.gz';
  await bringBy(host(), {
    url: `${base}/${name}`,
    checksum: { url: `${base}/flux_2.9.4_checksums.txt`, name },
    path,
    mode: 0o755,
    member: 'flux',
  });
  expect(readFileSync(path, 'utf8')).toMatch(/^#!/);
});

function host() {
  return nodeHost({ proxy: azure.proxyUrl, caFile: azure.caFile });
}

function k3s(path: string) {
  const checksum = { url: `${release}/sha256sum-amd64.txt`, name: 'k3s' };
  return { url: `${release}/k3s`, checksum, path, mode: 0o755 };
}
