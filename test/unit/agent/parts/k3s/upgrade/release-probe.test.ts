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

test('the checksums of a release may be kept elsewhere', async () => {
  expect(await lookAfterRedirectTo(stored)).toMatchObject({ level: 'ok' });
});

test.each(['https://', 'http://storage.example.com/sums', sums])(
  'a redirect to %s is no release',
  async (location) => {
    expect(await lookAfterRedirectTo(location)).toMatchObject({
      level: 'failure',
      message: `${sums} answers 302.`,
    });
  },
);
