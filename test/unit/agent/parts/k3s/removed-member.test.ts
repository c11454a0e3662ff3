import { describe, expect, test } from 'vitest';
import { clusterOnDisk } from '../../../../../src/agent/parts/k3s/membership/founding/disk.ts';
import { removedNoted } from '../../../../../src/agent/parts/k3s/removed-member.ts';
import { type MemoryHost, unreachable } from '../../../../lab/memory-host.ts';
import { settle } from '../../a-node.ts';
import {
  formerServer,
  members,
  node,
  otherPeer,
  paths,
  peer,
  record,
  showCluster,
} from './a-former-server.ts';

const ended =
  '{"level":"warn","ts":"2026-08-01T10:00:00.000000Z","caller":"etcdserver/server.go:860","msg":"server error","error":"the member has been permanently removed from the cluster"}\n';
const waits =
  'time="2026-08-01T10:00:30Z" level=info msg="Failed to test etcd connection: failed to get etcd status: context deadline exceeded"\n';

/**
 * Returns a server whose K3s is in this state, and has logged this since its start. Two others have its cluster, which
 * goes on without it.
 */
function server(log = ended + waits, state = 'activating\nSubState=start'): MemoryHost {
  const host = formerServer().onGet(`${peer}/db/info`, members('vm-2-4567abcd', 'vm-3-89abcdef'));
  host.files.write(paths.slipway.joinToken, 'secret\n');
  host.on({ file: 'systemctl', args: /^show k3s.service/ }, `ActiveState=${state}\nInvocationID=start-1\n`);
  host.on({ file: 'systemctl', args: /^stop k3s.service/ });
  return host.on({ file: 'journalctl', args: /start-1/ }, ({ args }) => lastLines(log, args));
}

/** Answers like journalctl with its option -n. */
function lastLines(log: string, args: readonly string[]): string {
  return log
    .split(/(?<=\n)/)
    .slice(-Number(args[args.indexOf('-n') + 1]))
    .join('');
}

describe('removedNoted', () => {
  test('writes the tombstone that K3s does not write if its member was removed before its start', async () => {
    const host = server();
    expect(await settle(removedNoted(node, []), host)).toEqual(['Drifted etcd', 'InSync']);
    expect(await clusterOnDisk(host, paths)).toBe('removed');
    expect(host.journal[0]).toEqual({ kind: 'run', command: 'systemctl stop k3s.service' });
  });

  test('finds the line that etcd has written hundreds of lines ago', async () => {
    expect(await settle(removedNoted(node, []), server(ended + waits.repeat(1_000)))).toContain(
      'Drifted etcd',
    );
  });

  test.each<readonly [string, (host: MemoryHost) => void]>([
    ['only one server was reset', (host) => host.onGet(`${peer}/db/info`, members('vm-2-4567abcd'))],
    [
      'the cluster was restored',
      (host) => host.onGet(record, '{"data":{"restoredAt":"2026-11-30T13:00:00Z"}}'),
    ],
    ['the record of a restore is damaged', (host) => host.onGet(record, '{"data":{"restoredAt":"soon"}}')],
    ['the API has no majority', (host) => host.onGet(record, { status: 500 })],
    ['the cluster has its member', (host) => host.onGet(`${peer}/db/info`, members('vm-1-0123abcd', 'vm-2'))],
    ['another server still has its member', (host) => showCluster(host, otherPeer, 'vm-1-0123abcd', 'vm-3')],
    ['no server answers', (host) => host.onGet(`${peer}/ping`, unreachable(peer))],
    ['its token is refused', (host) => host.onGet(`${peer}/v1-k3s/encrypt/status`, { status: 401 })],
    ['it has no token', (host) => host.files.remove(paths.slipway.joinToken)],
  ])('writes nothing if %s', async (_, change) => {
    const host = server();
    change(host);
    expect(await settle(removedNoted(node, []), host)).toEqual(['InSync']);
    expect(host.mutations).toBe(0);
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
