import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import type { Announcement } from '../lab/azure/scheduled-events.ts';
import { datastoreSql } from '../unit/agent/parts/k3s/datastore/a-datastore.ts';
import { podsOn, putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';
import { condition, live, type Vm } from './a-vm.ts';
import { inAzure, watchedBy } from './announced-events.ts';
import { annotationsOf } from './cluster.ts';
import { ca } from './world.ts';

const minute = 60_000;
const drains = 'scheduledEvents: drain';
const vms = ['vm_in_azure'];

function cordonOf({ kubernetes }: Vm, name: string) {
  const found = kubernetes.objects.get('nodes', undefined, name);
  return {
    isCordoned: Object(found?.spec).unschedulable === true,
    mark: Object(found?.metadata.annotations)['slipway.dev/cordon'],
  };
}

/** Returns the changes of the cordon in the journal, from `length` on. */
function cordonChanges({ host }: Vm, length: number): readonly string[] {
  return host.journal
    .slice(length)
    .flatMap((action) => (action.kind === 'send' ? [`${action.body ?? ''}`] : []))
    .filter((body) => body.includes('unschedulable'));
}

const noCordon = { isCordoned: false, mark: undefined };

test.each<Announcement['type']>(['Reboot', 'Redeploy', 'Terminate'])(
  'an agent is emptied before a %s, lets it begin, and takes pods again after it',
  async (type) => {
    const { machine, served, lives } = await inAzure('agent', drains);
    putPod(machine.kubernetes, 'web', { node: 'agent-1' });
    const id = served.azure.announce({ type, vms });
    const during = await lives(minute);
    expect(served.azure.acknowledged).toEqual([id]);
    expect(cordonOf(machine, 'agent-1').mark).toContain(`event ${type.toLowerCase()}`);
    expect(podsOn(machine.kubernetes, 'agent-1')).toEqual([]);
    expect(condition(during, 'Maintenance')).toBe('Unknown EventScheduled');
    expect(condition(during, 'Ready')).toBe('True InSync');
    served.azure.end(id);
    const after = await lives(minute);
    expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
    expect(condition(after, 'Maintenance')).toBe('True InSync');
  },
);

test('a Spot VM is emptied and lets its eviction begin within thirty seconds', async () => {
  const { machine, served, lives } = await inAzure('agent', drains, 'Spot');
  putPod(machine.kubernetes, 'web', { node: 'agent-1', grace: 600 });
  const id = served.azure.announce({ type: 'Preempt', vms });
  const announced = machine.host.now();
  await lives(28_000, () => served.azure.acknowledged.length > 0);
  expect(served.azure.acknowledged).toEqual([id]);
  expect(machine.host.now() - announced).toBeLessThan(28_000);
  expect(podsOn(machine.kubernetes, 'agent-1')).toEqual([]);
});

test('a held agent keeps its pods until an hour before an event that is days away', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  machine.host.files.write(nodePaths('/').slipway.hold, '{"format":1,"reason":"a test"}', 0o600);
  putPod(machine.kubernetes, 'web', { node: 'agent-1' });
  served.azure.announce({ type: 'Redeploy', vms, notice: 3 * 3_600 });
  await lives(110 * minute);
  expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
  expect(podsOn(machine.kubernetes, 'agent-1')).toEqual(['web']);
  await lives(20 * minute);
  expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
  expect(podsOn(machine.kubernetes, 'agent-1')).toEqual([]);
  expect(served.azure.acknowledged).toEqual([]);
});

test('an event of another VM changes nothing', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  await lives(minute);
  const { length } = machine.host.journal;
  served.azure.announce({ type: 'Reboot', vms: ['vm-of-others'] });
  const report = await lives(2 * minute);
  expect(condition(report, 'Maintenance')).toBe('True InSync');
  expect(machine.host.journal).toHaveLength(length);
});

test('no pass asks the cloud for its events, because the first request would switch them on', async () => {
  const { machine, served, slipway } = await inAzure('agent', drains);
  await live(slipway, machine, 10 * minute);
  expect(served.azure.on.size).toBe(0);
});

test('a reboot of the VM in its event leaves the node cordoned until the event is over, and drains it once', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  putPod(machine.kubernetes, 'web', { node: 'agent-1' });
  const id = served.azure.announce({ type: 'Reboot', vms });
  await lives(minute);
  await machine.reboot();
  putPod(machine.kubernetes, 'new', { node: 'agent-1' });
  const rebooted = watchedBy(machine);
  await rebooted.lives(2 * minute);
  expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
  expect(podsOn(machine.kubernetes, 'agent-1')).toEqual(['new']);
  served.azure.end(id);
  await rebooted.lives(minute);
  expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
});

test('a restart of the daemon during an event keeps the cordon until the event is cancelled', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  const id = served.azure.announce({ type: 'Reboot', vms: [...vms, 'vm-of-others'] });
  await lives(minute);
  const { length } = machine.host.journal;
  const restarted = watchedBy(machine);
  await restarted.lives(minute);
  expect(cordonChanges(machine, length)).toEqual([]);
  expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
  served.azure.end(id);
  await restarted.lives(minute);
  expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
});

test('a metadata service that refuses for seventy seconds, as around a live migration, is not reported', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  const id = served.azure.announce({ type: 'Reboot', vms });
  await lives(minute);
  served.refuses = 410;
  const { length } = machine.events;
  await lives(70_000);
  expect(machine.events.slice(length).filter(({ type }) => type === 'ConditionChanged')).toEqual([]);
  expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
  served.refuses = undefined;
  served.azure.end(id);
  await lives(minute);
  expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
});

test('a metadata service that stays silent is reported, and the cordon does not stay for ever', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  served.azure.announce({ type: 'Reboot', vms });
  await lives(minute);
  served.refuses = 500;
  expect(condition(await lives(4 * minute), 'Maintenance')).toBe('Unknown IdentityUnavailable');
  await lives(12 * minute);
  expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
});

describe('a change that needs a restart of K3s', () => {
  const debug = 'k3s: { config: { debug: true } }\n';

  test('waits for the end of an event, and the end of a turn does not remove the cordon of the event', async () => {
    const { machine, served, lives } = await inAzure('agent', drains);
    const { starts } = machine.units;
    const id = served.azure.announce({ type: 'Reboot', vms: [...vms, 'vm-of-others'] });
    await lives(minute);
    machine.host.files.write('/etc/slipway/config.d/later.yaml', debug);
    await lives(6 * minute);
    expect(machine.units.starts).toBe(starts);
    expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
    served.azure.end(id);
    await lives(6 * minute);
    expect(machine.units.starts).toBe(starts + 1);
    expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
    expect(annotationsOf(machine, 'agent-1')['slipway.dev/turn-state']).toContain('done');
  });

  test('does not end its turn during an event that follows the restart, because that would remove the cordon', async () => {
    const { machine, served, lives } = await inAzure('agent', drains, 'Spot');
    const { starts } = machine.units;
    machine.host.files.write('/etc/slipway/config.d/later.yaml', debug);
    await lives(6 * minute, () => machine.units.starts > starts);
    const { length } = machine.host.journal;
    const id = served.azure.announce({ type: 'Reboot', vms: [...vms, 'vm-of-others'] });
    await lives(minute);
    const state = () => annotationsOf(machine, 'agent-1')['slipway.dev/turn-state'];
    expect(cordonChanges(machine, length)).toHaveLength(1);
    expect(state()).toContain('begun');
    served.azure.end(id);
    await lives(minute);
    expect(state()).toContain('done');
    expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
  });

  test('keeps its turn while an event empties the node in the middle of its drain', async () => {
    const { machine, served, lives } = await inAzure('agent', `${drains}, drain: { restart: true }`);
    putPod(machine.kubernetes, 'web', { node: 'agent-1', annotations: { 'standin/ends-after': '25' } });
    machine.host.files.write('/etc/slipway/config.d/later.yaml', debug);
    await lives(6 * minute, () => cordonOf(machine, 'agent-1').isCordoned);
    const id = served.azure.announce({ type: 'Reboot', vms });
    await lives(2 * minute);
    expect(served.azure.acknowledged).toEqual([id]);
    served.azure.end(id);
    await lives(10 * minute);
    expect(cordonOf(machine, 'agent-1')).toEqual(noCordon);
    expect(annotationsOf(machine, 'agent-1')['slipway.dev/turn-state']).toContain('done');
  });
});

describe('the only server', () => {
  test('is not drained, and its datastore is copied before a reboot', async () => {
    const { machine, served, lives } = await inAzure('server', drains);
    const data = '/var/lib/rancher/k3s/server';
    machine.host.files.write(`${data}/db/state.db`, datastoreSql(), 0o600);
    machine.host.files.write(`${data}/tls/server-ca.crt`, ca);
    putPod(machine.kubernetes, 'web', { node: 'server-1' });
    const id = served.azure.announce({ type: 'Reboot', vms });
    const report = await lives(minute);
    const backup = '/var/lib/slipway/backup';
    const copies = machine.host.files.list(backup).filter((name) => name.endsWith('.json'));
    expect(copies).toHaveLength(1);
    expect(machine.host.files.text(`${backup}/${copies[0]}`)).toContain(`event ${id}`);
    expect(served.azure.acknowledged).toEqual([]);
    expect(cordonOf(machine, 'server-1')).toEqual(noCordon);
    expect(podsOn(machine.kubernetes, 'server-1')).toContain('web');
    expect(condition(report, 'Ready')).toBe('True InSync');
    served.azure.end(id);
    expect(condition(await lives(minute), 'Maintenance')).toBe('True InSync');
  });

  test('makes no copy and closes no gate for an event that is days away', async () => {
    const { machine, served, lives } = await inAzure('server', drains);
    machine.host.files.write('/var/lib/rancher/k3s/server/db/state.db', datastoreSql(), 0o600);
    machine.host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', ca);
    served.azure.announce({ type: 'Redeploy', vms, notice: 7 * 86_400 });
    const report = await lives(3 * 60 * minute);
    expect(report.conditions.find(({ type }) => type === 'Maintenance')?.message).toContain('an hour before');
    expect(machine.host.files.stat('/var/lib/slipway/backup')).toBeUndefined();
    const { starts } = machine.units;
    machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { debug: true } }\n');
    await lives(5 * minute);
    expect(machine.units.starts).toBe(starts + 1);
  });

  const preempted = async () => {
    const found = await inAzure('server', drains, 'Spot');
    found.served.azure.announce({ type: 'Preempt', vms });
    const report = await found.lives(20_000);
    expect(condition(report, 'K3sRunning')).toBe('Unknown EventScheduled');
    expect(found.machine.units.isActive(/^k3s/)).toBe(false);
    return found;
  };

  test('is stopped before the eviction of its Spot VM, and started again if the event is cancelled', async () => {
    const { machine, served, lives } = await preempted();
    for (const { EventId } of served.azure.events) {
      served.azure.end(EventId);
    }
    const report = await lives(minute);
    expect(machine.units.isActive(/^k3s/)).toBe(true);
    expect(condition(report, 'Ready')).toBe('True InSync');
  });

  test('is stopped before the eviction of its Spot VM even if its datastore cannot be copied', async () => {
    const { machine, served, lives } = await inAzure('server', drains, 'Spot');
    const data = '/var/lib/rancher/k3s/server';
    machine.host.files.write(`${data}/db/state.db`, datastoreSql(), 0o600);
    machine.host.files.write(`${data}/tls/server-ca.crt`, ca);
    machine.host.free = 0;
    served.azure.announce({ type: 'Preempt', vms });
    // The end of a job wakes the daemon, and here the next second does.
    for (let second = 0; second < 25; second += 1) {
      await lives(1_000);
    }
    expect(machine.units.isActive(/^k3s/)).toBe(false);
  });

  test('is started again three minutes after it was stopped if its VM is still there', async () => {
    const { machine, lives } = await preempted();
    await lives(2 * minute);
    expect(machine.units.isActive(/^k3s/)).toBe(false);
    await lives(2 * minute);
    expect(machine.units.isActive(/^k3s/)).toBe(true);
    await lives(2 * minute);
    expect(machine.units.isActive(/^k3s/)).toBe(true);
  });

  test('is started at once by a daemon that starts while its VM is still there', async () => {
    const { machine, served } = await preempted();
    for (const { EventId } of served.azure.events) {
      served.azure.begin(EventId);
    }
    await watchedBy(machine).lives(minute);
    expect(machine.units.isActive(/^k3s/)).toBe(true);
  });
});

test('a plan or an apply during an event changes nothing', async () => {
  const { machine, served, lives } = await inAzure('agent', drains);
  served.azure.announce({ type: 'Reboot', vms: [...vms, 'vm-of-others'] });
  await lives(minute);
  const asked = machine.host.journal.length;
  await live(machine.slipway(), machine, minute);
  expect(machine.host.journal.slice(asked)).toEqual([]);
  expect(cordonOf(machine, 'agent-1').isCordoned).toBe(true);
});
