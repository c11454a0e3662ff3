import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../../../src/agent/engine/digest.ts';
import { inSync, type Resource } from '../../../../../../src/agent/engine/resource.ts';
import { type CopyPurpose, copyStep } from '../../../../../../src/agent/parts/k3s/datastore/copy-step.ts';
import { kineSql } from '../../../../../lab/memory-databases.ts';
import { Crash, type MemoryHost } from '../../../../../lab/memory-host.ts';
import { aNode, outcome, settle } from '../../../a-node.ts';
import { aServer, ca, database, datastoreSql, token } from './a-datastore.ts';

const minute = 60_000;
const upgrade = { reason: 'upgrade v1.36.4+k3s1', version: 'v1.36.3+k3s1' };
const drifted = 'Drifted (non-blocking) copy of the datastore';
const first = '/var/lib/slipway/backup/state-20261130T120000Z.db';

function copyOf(role: 'server' | 'agent' = 'server', forWhat: CopyPurpose = upgrade): Resource {
  return {
    id: 'Copy',
    summary: 'copy',
    condition: 'K3sBinary',
    check: async (host) => (await copyStep(host, aNode(role), forWhat)) ?? inSync(),
  };
}

function backups(host: MemoryHost): readonly string[] {
  return host.files.list('/var/lib/slipway/backup');
}

describe('the copy of the datastore before a change', () => {
  test('is made once, private, with a manifest that names its cluster, token, release and purpose', async () => {
    const { host } = aServer();
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
    expect(host.files.read(first)).toMatchObject({ content: datastoreSql(), mode: 0o600 });
    const manifest = host.files.read(`${first}.json`);
    expect(manifest?.mode).toBe(0o600);
    expect(JSON.parse(manifest?.content ?? '')).toEqual({
      format: 1,
      datastore: 'sqlite',
      k3s: 'v1.36.3+k3s1',
      ca: sha256(ca),
      token,
      bytes: Buffer.byteLength(datastoreSql()),
      sha256: sha256(datastoreSql()),
      revision: 4,
      objects: 3,
      madeAt: '2026-11-30T12:00:00Z',
      reason: 'upgrade v1.36.4+k3s1',
    });
    expect(backups(host)).toHaveLength(2);
    expect(manifest?.content).not.toContain('swordfish');
  });

  test('counts for an hour, and only for its purpose', async () => {
    const { host } = aServer();
    await settle(copyOf(), host);
    host.advance(59 * minute);
    expect(await outcome(copyOf(), host)).toBe('InSync');
    expect(await outcome(copyOf('server', { ...upgrade, reason: 'upgrade v1.37.0+k3s1' }), host)).toBe(
      drifted,
    );
    host.advance(minute);
    expect(await outcome(copyOf(), host)).toBe(drifted);
  });

  test('is not made of a database that is larger than the purpose allows', async () => {
    const { host } = aServer();
    const size = Buffer.byteLength(datastoreSql());
    expect(await outcome(copyOf('server', { ...upgrade, largest: size - 1 }), host)).toBe('InSync');
    expect(await outcome(copyOf('server', { ...upgrade, largest: 3 * size }), host)).toBe(drifted);
  });

  test('removes all older copies except the last one, and no file of another program', async () => {
    const { host } = aServer();
    host.files.write('/var/lib/slipway/backup/mine.db', 'mine');
    for (const reason of ['one', 'two', 'three']) {
      await settle(copyOf('server', { ...upgrade, reason }), host);
      host.advance(minute);
    }
    expect(backups(host)).toEqual([
      'mine.db',
      ...['state-20261130T120100Z.db', 'state-20261130T120100Z.db.json'],
      ...['state-20261130T120200Z.db', 'state-20261130T120200Z.db.json'],
    ]);
  });

  test('is a job, during which the check waits without blocking', async () => {
    const { host } = aServer();
    host.jobs.lasting = 5 * minute;
    const finding = await copyOf().check(host);
    expect(finding.state).toBe('Drifted');
    if (finding.state === 'Drifted') {
      await expect(finding.drift.remedy(host)).rejects.toMatchObject({ name: 'Underway' });
    }
    expect(await copyOf().check(host)).toMatchObject({
      state: 'Waiting',
      reason: 'InProgress',
      blocks: false,
      message: 'copy the datastore to /var/lib/slipway/backup, since 2026-11-30T12:00:00Z',
    });
    host.advance(5 * minute);
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
    expect(host.lines().filter((line) => line.startsWith('copy'))).toHaveLength(1);
  });

  test.each([
    ['starts', { ActiveState: 'activating' }],
    ['stops', { ActiveState: 'deactivating' }],
    ['is stopped', { ActiveState: 'inactive' }],
    ['has a pending systemd job', { Job: '42' }],
  ])('waits while K3s %s', async (_, unit) => {
    const { host } = aServer(unit);
    expect(await outcome(copyOf(), host)).toBe('Waiting ServiceStarting');
    expect(host.mutations).toBe(0);
  });

  test('does not count if K3s was restarted while it was made', async () => {
    const { host, unit } = aServer();
    host.on({ file: 'systemctl', args: /^show k3s\.service/ }, () => {
      const text = `ActiveState=active\nInvocationID=${unit.InvocationID}\nJob=\n`;
      unit.InvocationID += '+';
      return text;
    });
    expect(await settle(copyOf(), host)).toEqual([drifted, 'ServiceStarting (time, non-blocking)']);
    expect(backups(host).filter((name) => name.endsWith('.json'))).toEqual([]);
  });

  test('is declined if the disk has less free space than three times the database plus 1 GB', async () => {
    const { host } = aServer();
    const size = Buffer.byteLength(datastoreSql()) + 1_000;
    host.files.write(`${database}-wal`, 'x'.repeat(1_000));
    host.free = 3 * size + 1024 ** 3 - 1;
    expect(await settle(copyOf(), host)).toEqual([drifted, 'CopyDeclined (person, non-blocking)']);
    host.free += 1;
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
  });

  test.each([
    ['bootstrap data', kineSql(['/registry/nodes/vm-1'])],
    ['objects', kineSql([`/bootstrap/${token}`])],
  ])('does not count without %s', async (_, sql) => {
    const { host } = aServer();
    host.files.write(database, sql);
    expect(await settle(copyOf(), host)).toEqual([drifted, 'DatabaseDamaged (time)']);
    expect(backups(host)).toEqual(['unproven.db']);
  });

  test('names the token whose bootstrap data is current, not a former one', async () => {
    const { host } = aServer();
    const former = "INSERT INTO kine (name, created, deleted) VALUES ('/bootstrap/0123456789ab', 0, 1);";
    host.files.write(
      database,
      `${datastoreSql('0123456789ab')}\n${former}\n${datastoreSql().split('\n').at(-4)}`,
    );
    await settle(copyOf(), host);
    expect(host.files.text(`${first}.json`)).toContain(`"token": "${token}"`);
  });

  test.each([1, 2, 3, 4, 5])('survives a crash before its change number %i', async (mutation) => {
    const { host } = aServer();
    host.crashBefore(mutation);
    await settle(copyOf(), host).catch((thrown) => expect(thrown).toBeInstanceOf(Crash));
    host.restart();
    host.advance(minute);
    expect((await settle(copyOf(), host)).at(-1)).toBe('InSync');
    const names = backups(host);
    expect(names.filter((name) => name.endsWith('.db')).map((name) => `${name}.json`)).toEqual(
      names.filter((name) => name.endsWith('.json')),
    );
  });
});

test.each([
  ['an agent', 'agent', {}],
  ['a server with embedded etcd', 'server', { '/var/lib/rancher/k3s/server/db/etcd/member/wal/0.wal': '' }],
  [
    'a server with an external datastore',
    'server',
    { '/etc/rancher/k3s/config.yaml': 'datastore-endpoint: postgres://db/k3s\n' },
  ],
] as const)('a copy is not required on %s', async (_, role, files) => {
  const { host } = aServer();
  for (const [path, content] of Object.entries(files)) {
    host.files.write(path, content);
  }
  expect(await outcome(copyOf(role), host)).toBe('InSync');
});

test('a copy is still made on a server that moves to etcd, until K3s has moved', async () => {
  const { host } = aServer();
  host.files.write('/etc/rancher/k3s/config.yaml', 'cluster-init: true\n');
  expect(await outcome(copyOf(), host)).not.toBe('InSync');
  host.files.remove(database);
  expect(await outcome(copyOf(), host)).toBe('InSync');
});

test('a copy is not required before the first start of K3s', async () => {
  const { host } = aServer();
  host.files.remove(database);
  expect(await outcome(copyOf(), host)).toBe('InSync');
});
