import { expect, test } from 'vitest';
import { releaseProbe } from '../../../../../../src/agent/parts/k3s/upgrade/release-probe.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const sums = 'https://github.com/k3s-io/k3s/releases/download/v1.36.3%2Bk3s1/sha256sum-amd64.txt';
const stored = 'https://storage.example.com/sums?sig=1';

function lookAfterRedirectTo(location: string) {
  const host = memoryHost();
  host.onRequest({ url: sums }, () => ({ status: 302, headers: { location } }));
  host.onRequest({ url: stored }, () => `${'0'.repeat(64)}  k3s\n`);
  return releaseProbe({ host, node: aNode('agent') }).look();
}

test('releaseProbe follows a redirect to the checksums of a release', async () => {
  expect(await lookAfterRedirectTo(stored)).toMatchObject({ level: 'ok' });
});

test.each([
  ['https://', 'redirects to something that is not a URL'],
  ['http://storage.example.com/sums', 'redirects from https to http://storage.example.com, which is refused'],
  ['ftp://storage.example.com/sums', 'redirects to ftp:, which is not http or https'],
  [sums, 'redirects more than 5 times'],
])('releaseProbe reports the fault of a redirect to %s', async (location, why) => {
  expect(await lookAfterRedirectTo(location)).toMatchObject({
    level: 'failure',
    message: `${sums} ${why}.`,
    repair: 'correct the redirects of that server, or set k3s.releaseUrl to another',
  });
});

test('releaseProbe is skipped until the release of the channel is known', async () => {
  const settings = { k3s: { channel: 'stable', version: undefined } };
  const node = aNode('agent', { version: 'stable', settings });
  expect(await releaseProbe({ host: memoryHost(), node }).look()).toMatchObject({ level: 'skipped' });
});
