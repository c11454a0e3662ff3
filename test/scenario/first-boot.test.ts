import { describe, expect, test } from 'vitest';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { findRole, namesOf, roles } from '../../src/roles/index.ts';
import { Crash } from '../lab/memory-host.ts';
import { engineSettings, isReady, live, vm } from './a-vm.ts';

const minute = 60_000;

/** Returns the VM's files, without the files, timestamps and ids that differ from one first boot to another. */
function endState({ host }: ReturnType<typeof vm>): unknown {
  const times =
    /"(iat|exp|jti)":[^,}]+|\\"resourceVersion\\":[^,}]+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;
  return Object.entries(host.files.snapshot())
    .filter(([path]) => !path.startsWith('/run/') && !/\/(registries\.yaml|logins\.json|.+\.crt)$/.test(path))
    .map(([path, node]) => [
      path,
      JSON.stringify(node)
        .replace(/"modifiedAt":\d+,?/, '')
        .replace(times, ''),
    ]);
}

/**
 * A row of role, GitOps engine and settings for each role; for a role that hands over a cluster, a row for each engine.
 */
const nodes = namesOf(roles).flatMap((role) =>
  findRole(role)?.gitops
    ? Object.entries(engineSettings).map(([engine, settings]) => [role, engine, settings] as const)
    : [[role, 'none', ''] as const],
);

describe.each(nodes)('a node with the role %s and the GitOps engine %s', (role, _, settings) => {
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

  test('reaches the same state even after a crash before any of its mutations', async () => {
    const whole = vm(role, settings);
    await live(whole.slipway(), whole, minute, isReady);
    const { mutations } = whole.host;
    expect(mutations).toBeGreaterThan(12);
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      const machine = vm(role, settings);
      machine.host.crashBefore(mutation);
      await live(machine.slipway(), machine, minute, isReady).catch(onlyCrash);
      expect(machine.host.crashed).toBe(true);
      machine.host.restart();
      const report = await live(machine.slipway(), machine, 2 * minute, isReady);
      expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
      expect(machine.units.starts).toBe(1);
      expect(endState(machine)).toEqual(endState(whole));
    }
  });
});

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
