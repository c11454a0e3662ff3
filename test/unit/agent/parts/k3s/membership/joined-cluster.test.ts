import { expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { Resource } from '../../../../../../src/agent/engine/resource.ts';
import { nonBlockingOnceJoined } from '../../../../../../src/agent/parts/k3s/membership/joined-cluster.ts';
import { memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome } from '../../../a-node.ts';

const troubled: Resource = {
  id: 'Trouble',
  summary: '',
  condition: 'K3sRunning',
  check: () => Promise.reject(new NodeError('DiskFull', 'full')),
};
const proofs = {
  server: '/var/lib/rancher/k3s/server/token',
  agent: '/var/lib/rancher/k3s/agent/server-ca.crt',
} as const;

test.each([
  ['server', [], 'DiskFull (time)'],
  ['server', [proofs.agent], 'DiskFull (time)'],
  ['server', [proofs.server], 'DiskFull (time, non-blocking)'],
  ['agent', [], 'DiskFull (time)'],
  ['agent', [proofs.server], 'DiskFull (time)'],
  ['agent', [proofs.agent], 'DiskFull (time, non-blocking)'],
] as const)(
  'nonBlockingOnceJoined reports the error for the role %s with the files %j as %s',
  async (role, files, expected) => {
    const host = memoryHost({ files: Object.fromEntries(files.map((path) => [path, 'x'])) });
    const resource = nonBlockingOnceJoined(aNode(role), troubled);
    expect(resource.id).toBe('Trouble');
    expect(await outcome(resource, host)).toBe(expected);
  },
);
