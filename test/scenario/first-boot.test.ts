import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { isReady, live, vm } from './a-vm.ts';
import { firstBoots, isUsual, survivesEveryCrash } from './first-boots.ts';

const minute = 60_000;

describe.each(firstBoots)('a node with the role %s and the GitOps engine %s', (role, _, settings) => {
  test('boots to Ready within a minute, and starts K3s once', async () => {
    const machine = vm(role, settings);
    const report = await live(machine.slipway(), machine, minute, isReady);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(machine.units.starts).toBe(1);
  });

  test('reports Ready once during the first half hour', async () => {
    const machine = vm(role, settings);
    await live(machine.slipway(), machine, 30 * minute);
    const told = machine.events.flatMap((event) =>
      event.type === 'ConditionChanged' ? event.condition : [],
    );
    expect(told.filter(({ type, status }) => type === 'Ready' && status === 'True')).toHaveLength(1);
  });

  test('changes nothing once it is Ready', async () => {
    const machine = vm(role, settings);
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    const { length } = machine.host.journal;
    await live(slipway, machine, 30 * minute);
    expect(machine.host.lines().slice(length)).toEqual([]);
  });

  test('is not changed by a dry run, whose plan lists every resource', async () => {
    const machine = vm(role, settings);
    const before = machine.host.files.snapshot();
    const report = await machine.slipway(recordingHost).pass();
    expect(machine.host.files.snapshot()).toEqual(before);
    expect(machine.host.lines()).toEqual([]);
    expect(machine.cloud.calls.filter((call) => call !== 'identity')).toEqual([]);
    const real = vm(role, settings);
    const done = await live(real.slipway(), real, minute, isReady);
    expect(report.outcomes.map(({ resource }) => resource.id)).toEqual(
      done.outcomes.map(({ resource }) => resource.id),
    );
  });
});

test.each(firstBoots.filter(isUsual))(
  'a node with the role %s and the GitOps engine %s reaches the same state even after a crash before any of its mutations',
  (role, _, settings) => survivesEveryCrash(role, settings),
);
