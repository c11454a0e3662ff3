import { expect, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import { memoryEtcd } from '../lab/memory-k3s-snapshots.ts';
import { snapshotText } from '../lab/memory-snapshots.ts';
import { condition, live, type Vm, vm } from './a-vm.ts';
import { etcd, withPeer } from './founding-kinds.ts';
import { joinToken } from './world.ts';

const paths = nodePaths('/');
const minute = 60_000;
const to = '/mnt/backup';
const settings = `${etcd}backup: { to: ${to}, schedule: '0 3 * * *' }\n`;
const lease = ['leases.coordination.k8s.io', 'kube-system', 'slipway-acting'] as const;

/** Returns a server that has joined others with etcd, and its etcd. */
async function joined() {
  const machine = vm('server', settings);
  withPeer(machine);
  machine.host.on({ file: 'stat', args: /^--file-system --format=%T/ }, 'ext2/ext3\n');
  machine.host.files.makeDirectory(to);
  const slipway = machine.slipway();
  await live(slipway, machine, minute);
  const model = memoryEtcd(machine.host, paths, 'server-1');
  model.password = joinToken;
  model.revisions = ['/bootstrap/0123456789ab', '/registry/nodes/server-1', '/registry/pods/default/web'];
  model.members = [...model.members, { name: 'server-2-4e5f6a7b' }];
  return { machine, slipway, model };
}

/** Gives the Lease of the acting server to a server, and keeps it there. */
function acts({ kubernetes: { objects } }: Vm, holder: string): void {
  const found = objects.get(...lease);
  const spec = { leaseDurationSeconds: 900, holderIdentity: holder, renewTime: `${Math.random()}` };
  objects.put(lease[0], lease[1], {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    ...found,
    metadata: { ...found?.metadata, name: lease[2], namespace: lease[1] },
    spec,
  });
}

/** Returns the backups in the store. */
function stored({ host }: Vm): readonly string[] {
  return host.files.list(to).flatMap((cluster) => host.files.list(`${to}/${cluster}`));
}

test('the acting server of several backs up etcd, proves it, and leaves no snapshot with K3s', async () => {
  const { machine, slipway, model } = await joined();
  const report = await live(slipway, machine, 20 * minute, ({ backup }) => backup?.proven !== undefined);
  expect(stored(machine)).toEqual([report.backup?.proven?.id]);
  expect(report.backup?.proven?.bytes).toBe(Buffer.byteLength(snapshotText(model.revisions)));
  expect(machine.host.files.list(model.folder)).toEqual([]);
  const settled = await live(slipway, machine, minute);
  expect([condition(settled, 'Backup'), condition(settled, 'Ready')]).toEqual(['True InSync', 'True InSync']);
});

test('a server that does not act makes no backup, reports none as due, and takes over later', async () => {
  const { machine, slipway } = await joined();
  for (let at = 0; at < 12; at++) {
    acts(machine, 'server-2');
    const report = await live(slipway, machine, 5 * minute);
    expect([condition(report, 'Backup'), report.backup]).toEqual(['True InSync', undefined]);
  }
  expect(stored(machine)).toEqual([]);
  await live(slipway, machine, 40 * minute, ({ backup }) => backup?.proven !== undefined);
  expect(stored(machine)).toHaveLength(1);
});

test('a server that loses the Lease in the middle of a backup stops, and goes on once it acts again', async () => {
  const { machine, slipway } = await joined();
  machine.host.jobs.lasting = 3 * minute;
  const isStored = () => machine.host.files.list(to).length > 0;
  await live(slipway, machine, 30 * minute, isStored);
  acts(machine, 'server-2');
  await live(slipway, machine, 5 * minute);
  const record = machine.host.files.text(paths.slipway.backups);
  expect(record).toContain('underWay');
  for (let at = 0; at < 6; at++) {
    acts(machine, 'server-2');
    await live(slipway, machine, 5 * minute);
  }
  expect(machine.host.files.text(paths.slipway.backups)).toBe(record);
  const report = await live(slipway, machine, 60 * minute, ({ backup }) => backup?.proven !== undefined);
  expect(stored(machine)).toEqual([report.backup?.proven?.id]);
});
