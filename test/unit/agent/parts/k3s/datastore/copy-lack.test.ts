import { describe, expect, test } from 'vitest';
import { inSync } from '../../../../../../src/agent/engine/resource.ts';
import { copyLack } from '../../../../../../src/agent/parts/k3s/datastore/copy-lack.ts';
import { copyStep } from '../../../../../../src/agent/parts/k3s/datastore/copy-step.ts';
import type { MemoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, settle } from '../../../a-node.ts';
import { aServer, paths } from './a-datastore.ts';

const forWhat = { reason: 'upgrade v1.36.4+k3s1', version: 'v1.36.3+k3s1' };
const narrow = async () => 1_024;
const wide = async () => 1_025;

async function lack(host: MemoryHost, role: 'server' | 'agent', free?: typeof wide): Promise<string> {
  const found = await copyLack(host, aNode(role), forWhat, free);
  return found ? `${found.reason} ${found.message}` : 'nothing';
}

describe('the check before a change that needs a copy of the datastore', () => {
  test.each([
    ['finds nothing if the disk has enough room', 'server', wide, 'nothing'],
    [
      'finds that the disk has too little room',
      'server',
      narrow,
      'CopyDeclined "upgrade v1.36.4+k3s1" waits, because a copy of /var/lib/rancher/k3s/server/db/state.db would not fit: it ' +
        'needs 1025 MB of free space in /var/lib/slipway/backup, and 1024 MB are free. Free some space, or make the disk larger.',
    ],
    ['finds nothing if the free space cannot be measured', 'server', undefined, 'nothing'],
    ['finds nothing on an agent', 'agent', narrow, 'nothing'],
  ] as const)('%s', async (_, role, free, expected) => {
    expect(await lack(aServer().host, role, free)).toBe(expected);
  });

  test('finds that the CA of the cluster is missing', async () => {
    const { host } = aServer();
    host.files.remove(paths.k3s.serverCa);
    host.files.remove(paths.k3s.serverToken);
    expect(await lack(host, 'server', wide)).toMatch(/^FileSystemError .* CA of K3s is missing/);
  });

  test('finds nothing once the copy has been made', async () => {
    const { host } = aServer();
    await settle(
      {
        id: 'Copy',
        summary: 'copy',
        condition: 'K3sBinary',
        check: async (reader) => (await copyStep(reader, aNode('server'), forWhat)) ?? inSync(),
      },
      host,
    );
    expect(await lack(host, 'server', narrow)).toBe('nothing');
  });
});
