import { describe, expect, test } from 'vitest';
import { sha256 } from '../../../../../../src/agent/engine/digest.ts';
import { inSync, type Resource } from '../../../../../../src/agent/engine/resource.ts';
import { copyLack } from '../../../../../../src/agent/parts/k3s/datastore/copy-lack.ts';
import { type CopyPurpose, copyStep } from '../../../../../../src/agent/parts/k3s/datastore/copy-step.ts';
import { Crash, type MemoryHost } from '../../../../../lab/memory-host.ts';
import { carryOut } from '../../../../../lab/memory-jobs.ts';
import { snapshotText } from '../../../../../lab/memory-snapshots.ts';
import { aNode, settle } from '../../../a-node.ts';
import { anEtcdServer, ca, token } from './a-datastore.ts';

const upgrade = { reason: 'upgrade v1.36.4+k3s1', version: 'v1.36.3+k3s1' };
const drifted = 'Drifted (non-blocking) copy of the datastore';
const first = '/var/lib/slipway/backup/etcd-20261130T120000Z.db';
const ofK3s = 'etcd-snapshot-vm-1-1796040000';
const others = [{ name: 'vm-1-0a1b2c3d' }, { name: 'vm-2-4e5f6a7b' }];

function copyOf(forWhat: CopyPurpose = upgrade): Resource {
  return {
    id: 'Copy',
    summary: 'copy',
    condition: 'K3sBinary',
    check: async (host) => (await copyStep(host, aNode('server'), forWhat)) ?? inSync(),
  };
}

function copies(host: MemoryHost): readonly string[] {
  return host.files.list('/var/lib/slipway/backup');
}

describe('the copy of etcd before a change', () => {
  test('is a snapshot of K3s, private, with a manifest; no snapshot stays with K3s except its own', async () => {
    const { host, etcd } = anEtcdServer();
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
    const text = snapshotText(etcd.revisions);
    expect(host.files.read(first)).toMatchObject({ content: text, mode: 0o600 });
    expect(JSON.parse(host.files.text(`${first}.json`) ?? '')).toEqual({
      format: 1,
      datastore: 'etcd',
      k3s: 'v1.36.3+k3s1',
      ca: sha256(ca),
      token,
      bytes: Buffer.byteLength(text),
      sha256: sha256(text),
      revision: 5,
      objects: 3,
      madeAt: '2026-11-30T12:00:00Z',
      reason: 'upgrade v1.36.4+k3s1',
    });
    expect(host.files.list(etcd.folder)).toEqual([ofK3s]);
  });

  test('is not made if another server votes, unless the change needs it always', async () => {
    const { host, etcd } = anEtcdServer();
    etcd.members = others;
    expect(await settle(copyOf(), host)).toEqual(['InSync']);
    expect(host.mutations).toBe(0);
    expect(await settle(copyOf({ ...upgrade, always: true }), host)).toEqual([drifted, 'InSync']);
    expect(copies(host)).toHaveLength(2);
  });

  test('is made if the only other server has not caught up yet', async () => {
    const { host, etcd } = anEtcdServer();
    etcd.members = others.map(({ name }, at) => ({ name, isLearner: at === 1 }));
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
  });

  test('waits on a member that does not vote, with the words of K3s', async () => {
    const { host, etcd } = anEtcdServer();
    etcd.members = others.map(({ name }, at) => ({ name, isLearner: at === 0 }));
    const finding = await copyOf({ ...upgrade, always: true }).check(host);
    expect(finding).toMatchObject({
      state: 'Waiting',
      reason: 'EtcdJoining',
      message: expect.stringContaining('"not supported for learner"'),
      blocks: false,
    });
  });

  test('waits while K3s saves another snapshot, and reports its words if that does not end', async () => {
    const { host, etcd } = anEtcdServer();
    etcd.busy = 3;
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
    expect(host.now()).toBe(Date.UTC(2026, 10, 30, 12, 0, 30));
    etcd.busy = 1_000;
    const failure = await attempt(host, { ...upgrade, reason: 'another' });
    expect(failure).toMatchObject({ reason: 'SnapshotFailed', blocks: false, endedBy: 'time' });
    expect(`${failure}`).toContain('"snapshot save already in progress"');
  });

  test.each([
    ['context deadline exceeded', { fault: 'context deadline exceeded' }],
    ['it refuses the token in its file', { password: 'another' }],
  ])('reports the words of K3s: %s', async (words, state) => {
    const { host, etcd } = anEtcdServer();
    Object.assign(etcd, state);
    expect(await attempt(host)).toMatchObject({
      reason: 'SnapshotFailed',
      message: expect.stringContaining(words),
    });
    expect(host.files.list(etcd.folder)).toEqual([ofK3s]);
  });

  test('is declined before K3s writes anything, without three times the size of etcd plus 1 GB', async () => {
    const { host, etcd } = anEtcdServer();
    const needed = 3 * 1_000 + 1024 ** 3;
    etcd.free = needed - 4_096;
    expect(await attempt(host)).toMatchObject({ reason: 'CopyDeclined', endedBy: 'person' });
    expect(host.files.list(etcd.folder)).toEqual([ofK3s]);
    const lack = await copyLack(host, aNode('server'), upgrade, async () => 1);
    expect(lack?.message).toContain('etcd/member/snap/db would not fit');
    etcd.free = needed + 4_096;
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
  });

  test.each([
    ['a snapshot that was damaged', (text: string) => `x${text}`],
    ['a snapshot without bootstrap data', () => snapshotText(['/registry/nodes/vm-1'])],
    ['a snapshot without objects', () => snapshotText([`/bootstrap/${token}`])],
  ])('does not count with %s, which does not stay with K3s', async (_, written) => {
    const { host, etcd } = anEtcdServer();
    etcd.written = written;
    expect(await attempt(host)).toMatchObject({ reason: 'DatabaseDamaged' });
    expect(copies(host)).toEqual(['unproven.db']);
    expect(host.files.list(etcd.folder)).toEqual([ofK3s]);
  });

  test('finds the snapshot in the folder that K3s names', async () => {
    const { host, etcd } = anEtcdServer();
    etcd.folder = '/mnt/snapshots';
    expect(await settle(copyOf(), host)).toEqual([drifted, 'InSync']);
    expect(host.files.list('/mnt/snapshots')).toEqual([]);
  });

  test('removes what an earlier attempt has left, and nothing of K3s, of a person or of another node', async () => {
    const { host, etcd } = anEtcdServer();
    const foreign = ['on-demand-vm-1-1796040001', 'slipway-copy-vm-1-mine', 'slipway-copy-vm-10-1796040001'];
    for (const name of [...foreign, 'slipway-copy-vm-1-1796040001', 'slipway-copy-vm-1-1796040002.part']) {
      host.files.write(`${etcd.folder}/${name}`, 'left', 0o600);
    }
    await settle(copyOf(), host);
    expect(host.files.list(etcd.folder)).toEqual([ofK3s, ...foreign].sort());
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9])('survives a crash before its change number %i', async (mutation) => {
    const { host, etcd } = anEtcdServer();
    host.crashBefore(mutation);
    await settle(copyOf(), host).catch((thrown) => expect(thrown).toBeInstanceOf(Crash));
    host.restart();
    host.advance(60_000);
    expect((await settle(copyOf(), host)).at(-1)).toBe('InSync');
    const names = copies(host);
    expect(names.filter((name) => name.endsWith('.db')).map((name) => `${name}.json`)).toEqual(
      names.filter((name) => name.endsWith('.json')),
    );
    expect(host.files.list(etcd.folder)).toEqual([ofK3s]);
  });

  test('is kept twice', async () => {
    const { host } = anEtcdServer();
    for (const reason of ['one', 'two', 'three']) {
      await settle(copyOf({ ...upgrade, reason }), host);
      host.advance(60_000);
    }
    expect(copies(host).filter((name) => name.endsWith('.db'))).toEqual([
      'etcd-20261130T120100Z.db',
      'etcd-20261130T120200Z.db',
    ]);
  });

  test('never shows the token', async () => {
    const { host } = anEtcdServer();
    await settle(copyOf(), host);
    expect(host.lines().join('\n')).toContain('db/snapshot');
    expect(host.lines().join('\n')).not.toContain('swordfish');
  });
});

/** Returns what the remedy of the next step throws. */
async function attempt(host: MemoryHost, forWhat: CopyPurpose = upgrade): Promise<unknown> {
  const finding = await copyOf(forWhat).check(host);
  const remedy = finding.state === 'Drifted' ? finding.drift.remedy : async () => {};
  return carryOut(remedy, host).then(
    () => 'nothing was thrown',
    (thrown: unknown) => thrown,
  );
}
