import { describe, expect, test } from 'vitest';
import { clusterOnDisk } from '../../../../../src/agent/parts/k3s/membership/founding/disk.ts';
import { removedNoted } from '../../../../../src/agent/parts/k3s/removed-member.ts';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode, settle } from '../../a-node.ts';

const paths = nodePaths('/');
const node = aNode('server', { settings: { k3s: { datastore: 'etcd' } } });
const ended =
  '{"level":"warn","ts":"2026-08-01T10:00:00.000000Z","caller":"etcdserver/server.go:860","msg":"server error","error":"the member has been permanently removed from the cluster"}\n';
const waits =
  'time="2026-08-01T10:00:30Z" level=info msg="Failed to test etcd connection: failed to get etcd status: context deadline exceeded"\n';

/** Returns a server whose K3s is in this state, and has logged this since its start. */
function server(log = ended + waits, state = 'activating\nSubState=start'): MemoryHost {
  const host = memoryHost({ files: { [`${paths.k3s.datastore}/etcd/member/wal`]: '' } });
  host.on({ file: 'systemctl', args: /^show k3s.service/ }, `ActiveState=${state}\nInvocationID=start-1\n`);
  host.on({ file: 'systemctl', args: /^stop k3s.service/ });
  return host.on({ file: 'journalctl', args: /start-1/ }, log);
}

describe('removedNoted', () => {
  test('writes the tombstone that K3s does not write if its member was removed before its start', async () => {
    const host = server();
    expect(await settle(removedNoted(node, []), host)).toEqual(['Drifted etcd', 'InSync']);
    expect(await clusterOnDisk(host, paths)).toBe('removed');
    expect(host.journal[0]).toEqual({ kind: 'run', command: 'systemctl stop k3s.service' });
  });

  test.each([
    ['etcd only has no leader', waits],
    [
      'another program quotes the line',
      `E0801 10:00:00.000000 1 prober.go:1] "Probe failed" output=${JSON.stringify(ended)}\n`,
    ],
    ['K3s runs', ended, 'active'],
    ['K3s is started again', ended, 'activating\nSubState=auto-restart'],
  ])('writes nothing if %s', async (_, log, state?) => {
    const host = server(log, state);
    expect(await settle(removedNoted(node, []), host)).toEqual(['InSync']);
    expect(await clusterOnDisk(host, paths)).toBe('etcd');
  });
});
