import { expect, test } from 'vitest';
import { certificateProbes } from '../../../../../../src/agent/parts/k3s/certificates/probes.ts';
import { type MemoryHost, memoryHost, unreachable } from '../../../../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../../../../lab/standins/k3s-certificates.ts';
import { aNode } from '../../../a-node.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 5, 1);
const port = 'https://127.0.0.1:6443';
const validity = { from: now - 5 * day, ends: now + 3_650 * day };
const authority = makeAuthority('k3s-server-ca', validity);

function leaf(from: number, ends: number): string {
  const times = { from: now + from * day, ends: now + ends * day };
  return issue(authority, { commonName: 'x', validity: times }).certificate;
}

/** Returns a node with two leaf certificates, of which the second has this text, and with their CA. */
function aHost(second: string): MemoryHost {
  const folder = '/var/lib/rancher/k3s/agent';
  return memoryHost({
    now,
    files: {
      [`${folder}/serving-kubelet.crt`]: leaf(-5, 300),
      [`${folder}/client-kubelet.crt`]: second,
      [`${folder}/server-ca.crt`]: authority.certificate,
    },
  });
}

async function verdicts(host: MemoryHost, role: 'server' | 'agent'): Promise<readonly string[]> {
  const probes = certificateProbes(host, aNode(role));
  return Promise.all(
    probes.map(async ({ what, look }) => {
      const { level, message } = await look();
      return `${what}: ${level} ${message}`;
    }),
  );
}

test('the probes show which certificate of each kind ends first', async () => {
  const host = aHost(leaf(-5, 100)).onPeer(port, leaf(-5, 200));
  expect(await verdicts(host, 'server')).toEqual([
    'leaf certificates: ok 2 read; the first to end is agent/client-kubelet.crt, on 2026-09-09',
    'CA certificates: ok 1 read; the first to end is agent/server-ca.crt, on 2036-05-29',
    'certificate of the port: ok the first to end is port 6443, on 2026-12-18',
  ]);
});

test.each([
  ['has ended', leaf(-5, -1), 'warning 2 read; agent/client-kubelet.crt ended on 2026-05-31.'],
  [
    'is not valid yet',
    leaf(2, 5),
    'warning 2 read; agent/client-kubelet.crt is not valid before 2026-06-03.',
  ],
])('the probe of the leaf certificates warns of one that %s', async (_, second, expected) => {
  expect((await verdicts(aHost(second), 'agent'))[0]).toBe(`leaf certificates: ${expected}`);
});

test('the probes are skipped before the first start of K3s, and while its port does not answer', async () => {
  const host = memoryHost().onPeer(port, unreachable(port));
  expect(await verdicts(host, 'server')).toEqual([
    'leaf certificates: skipped K3s has not made any yet',
    'CA certificates: skipped K3s has not made any yet',
    'certificate of the port: skipped K3s does not answer at its port, which other probes report',
  ]);
});

test('there are no probes while the node is unknown', () => {
  expect(certificateProbes(memoryHost(), undefined)).toEqual([]);
});
