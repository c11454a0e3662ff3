import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import { Crash } from '../lab/memory-host.ts';
import { condition, live, noRestarts, type Vm, vm } from '../scenario/a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;
const note = '/var/lib/slipway/channel.json';
const [old, patch] = ['v1.36.3+k3s1', 'v1.36.4+k3s1'] as const;
const settings = `${noRestarts}k3s: { channel: stable, upgrade: auto }\n`;

function release({ host }: Vm): string | undefined {
  return host.files.text('/usr/local/bin/k3s')?.replace('k3s ', '');
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text('/var/lib/slipway/upgrade.json') ?? '{}').state;
}

const isReady = (report: Report) => condition(report, 'Ready') === 'True InSync';

/** Boots a server that takes its release from a channel, which is at `old`. */
async function server() {
  const machine = vm('server', settings);
  machine.channels = { stable: old };
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  expect([release(machine), machine.units.starts]).toEqual([old, 1]);
  return { machine, slipway };
}

describe('a server with a channel', () => {
  test('starts with the release of the channel, and upgrades within six hours after the channel moves', async () => {
    const { machine, slipway } = await server();
    machine.channels = { stable: patch };
    await live(slipway, machine, 6 * hour + 10 * minute, () => state(machine) === 'done');
    expect([release(machine), machine.units.starts]).toEqual([patch, 2]);
    const report = await live(slipway, machine, minute);
    expect(condition(report, 'K3sBinary')).toBe('True InSync');
  });

  test('does not start before the channel server answers for the first time', async () => {
    const machine = vm('server', settings);
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 2 * minute);
    expect(condition(report, 'K3sBinary')).toMatch(/ChannelUnreachable$/);
    expect([release(machine), machine.units.starts]).toEqual([undefined, 0]);
    machine.channels = { stable: old };
    expect(condition(await live(slipway, machine, 15 * minute, isReady), 'Ready')).toBe('True InSync');
  });

  test('runs on as it is while the channel server is down', async () => {
    const { machine, slipway } = await server();
    machine.channels = undefined;
    const report = await live(slipway, machine, 8 * hour);
    expect(condition(report, 'Ready')).toMatch(/^True /);
    expect(condition(report, 'K3sBinary')).toBe('False ChannelUnreachable');
    await machine.reboot();
    const again = await live(machine.slipway(), machine, hour);
    expect(condition(again, 'NodeReady')).toBe('True InSync');
    expect(release(machine)).toBe(old);
  });

  test('stays in its minor version until the settings name the next one', async () => {
    const { machine, slipway } = await server();
    machine.channels = { stable: 'v1.37.1+k3s1', 'v1.36': patch, 'v1.37': 'v1.37.2+k3s1' };
    const report = await live(slipway, machine, 7 * hour);
    expect(condition(report, 'K3sBinary')).toBe('False ChannelAhead');
    expect(condition(report, 'Ready')).toMatch(/^True /);
    expect(release(machine)).toBe(patch);
    machine.host.files.write('/etc/slipway/config.d/extra.yaml', settings.replace('stable', 'v1.37'));
    await live(slipway, machine, 15 * minute, () => release(machine) === 'v1.37.2+k3s1');
    const end = await live(slipway, machine, 5 * minute);
    expect([release(machine), condition(end, 'K3sBinary')]).toEqual(['v1.37.2+k3s1', 'True InSync']);
  });

  test('keeps its release if it moves from k3s.version to a channel at the same release', async () => {
    const machine = vm('server', `${noRestarts}k3s: { version: ${patch} }\n`);
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    machine.channels = { stable: old, latest: patch };
    for (const channel of ['latest', 'stable']) {
      machine.host.files.write('/etc/slipway/config.d/extra.yaml', settings.replace('stable', channel));
      const report = await live(slipway, machine, 20 * minute);
      expect([condition(report, 'K3sBinary'), release(machine)]).toEqual(['True InSync', patch]);
    }
    expect(machine.units.starts).toBe(1);
  });

  test('reaches the new release after a crash before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const { machine } = await server();
      machine.channels = { stable: patch };
      const known = JSON.parse(machine.host.files.text(note) ?? '{}');
      const asked = machine.host.now() - 7 * hour;
      machine.host.files.write(note, JSON.stringify({ ...known, asked }), 0o600);
      machine.host.restart();
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
        await live(machine.slipway(), machine, 8 * minute, () => state(machine) === 'done').catch(onlyCrash);
        expect(machine.host.crashed).toBe(true);
        machine.host.restart();
      }
      await live(machine.slipway(), machine, 8 * minute, () => state(machine) === 'done');
      expect([release(machine), state(machine), machine.units.starts]).toEqual([patch, 'done', 2]);
      return machine.host.mutations;
    };
    const mutations = await through();
    expect(mutations).toBeGreaterThan(6);
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      await through(mutation);
    }
  });
});

describe('an agent with a channel', () => {
  test('takes the release that its server publishes, whatever the channel server says', async () => {
    const machine = vm('agent', settings);
    machine.channels = { stable: 'v1.36.9+k3s1' };
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, 2 * minute);
    expect(condition(waiting, 'K3sBinary')).toMatch(/ServerUnreachable$/);
    expect([release(machine), machine.units.starts]).toEqual([undefined, 0]);
    machine.fleetRelease = old;
    const report = await live(slipway, machine, 5 * minute, isReady);
    expect([release(machine), condition(report, 'Ready')]).toEqual([old, 'True InSync']);
    machine.fleetRelease = patch;
    machine.host.onGet('https://127.0.0.1:6443/version', JSON.stringify({ gitVersion: patch }));
    await live(slipway, machine, 30 * minute, () => state(machine) === 'done');
    expect(JSON.parse(machine.host.files.text(note) ?? '{}')).toMatchObject({ release: patch });
    expect([release(machine), state(machine), machine.units.starts]).toEqual([patch, 'done', 2]);
  });

  test('keeps its release while its server is away', async () => {
    const machine = vm('agent', settings);
    machine.fleetRelease = old;
    const slipway = machine.slipway();
    await live(slipway, machine, 2 * minute, isReady);
    machine.server = undefined;
    await live(slipway, machine, hour);
    expect([release(machine), machine.units.starts]).toEqual([old, 1]);
  });
});

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
