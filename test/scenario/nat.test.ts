import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import type { Condition } from '../../src/agent/engine/conditions.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { Crash } from '../lab/memory-host.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const rules = '/etc/slipway/nat.nft';
const unit = '/etc/systemd/system/slipway-nat.service';
const sysctl = '/etc/sysctl.d/99-z-slipway-nat.conf';
const config = '/etc/slipway/config.d/nat.yaml';
const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
ens3\t00000000\t0101000A\t0003\t0\t0\t100\t00000000\t0\t0\t0
`;
const masquerade = 'ip saddr 10.0.2.0/24 masquerade';
const settings = 'network: { nat: { from: [10.0.2.0/24], except: [10.0.0.0/16] } }\n';

function ingress(extra = ''): Vm {
  const machine = vm('agent', noRestarts + extra);
  machine.host.files.write('/proc/net/route', routes);
  machine.host.files.write(config, settings);
  return machine;
}

/** Boots an ingress node until it is Ready or a minute has passed, then replaces its NAT settings with `nat`. */
async function changed(nat: string) {
  const machine = ingress();
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  machine.host.files.write(config, nat);
  return { machine, slipway };
}

function isForwarding({ units, host }: Vm): boolean {
  const forwards = host.files.text('/proc/sys/net/ipv4/ip_forward') === '1\n';
  return forwards && (units.nat.rules ?? '').includes(masquerade);
}

describe('NAT for private hosts', () => {
  test('is active before K3s is prepared, and its condition names the range and the interface', async () => {
    const machine = ingress();
    const report = await live(machine.slipway(), machine, minute, isReady);
    const lines = machine.host.lines();
    const loaded = lines.indexOf('run systemctl reload-or-restart slipway-nat.service');
    expect(loaded).toBeGreaterThan(-1);
    expect(loaded).toBeLessThan(lines.findIndex((line) => line.includes('/etc/modules-load.d')));
    expect(isForwarding(machine)).toBe(true);
    expect(report.conditions.find(({ type }) => type === 'Nat')?.message).toBe(
      '10.0.2.0/24 reach the outside through ens3',
    );
  });

  test('is active before the identity, role, token and server are known', async () => {
    const machine = ingress();
    machine.cloud.fail('identity', new NodeError('TimedOut', 'It does not answer.'));
    const report = await machine.slipway().pass();
    expect(condition(report, 'Identity')).toContain('TimedOut');
    expect(isForwarding(machine)).toBe(true);
  });

  test('is neither set up nor in the status if the settings do not contain NAT', async () => {
    const { machine, slipway } = await booted('agent');
    expect(condition(await slipway.pass(), 'Nat')).toBe('absent');
    expect(machine.host.files.stat(rules)).toBeUndefined();
    expect(machine.host.lines().join('\n')).not.toContain('slipway-nat');
  });

  test('is restored at a reboot by its unit alone', async () => {
    const machine = ingress();
    await live(machine.slipway(), machine, minute, isReady);
    machine.host.files.write('/proc/sys/net/ipv4/ip_forward', '0\n');
    await machine.reboot();
    expect(isForwarding(machine)).toBe(true);
  });

  test.each<[string, (machine: Vm) => void]>([
    ['the rules were flushed', ({ units }) => units.nat.flush()],
    ['the chain was emptied', ({ units }) => units.nat.emptyChains()],
    ['forwarding was turned off', ({ host }) => host.files.write('/proc/sys/net/ipv4/ip_forward', '0\n')],
    ['the rules file was edited', ({ host }) => host.files.write(rules, 'flush ruleset\n')],
    ['the rules file was removed', ({ host }) => host.files.remove(rules)],
    ['the unit was removed', ({ host }) => host.files.remove(unit)],
    ['the kernel setting was removed', ({ host }) => host.files.remove(sysctl)],
  ])('is restored within two minutes after %s', async (_, damage) => {
    const machine = ingress();
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    const before = [rules, unit, sysctl].map((path) => machine.host.files.text(path));
    damage(machine);
    await live(slipway, machine, 2 * minute);
    expect(isForwarding(machine)).toBe(true);
    expect([rules, unit, sysctl].map((path) => machine.host.files.text(path))).toEqual(before);
  });

  test('moves to a new outside interface when its unit reloads, without a stop', async () => {
    const machine = ingress();
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    machine.host.files.write('/proc/net/route', routes.replace('ens3', 'enp0s6'));
    const report = await live(slipway, machine, 2 * minute);
    expect(machine.units.nat.rules).toContain('oifname != "enp0s6" return');
    expect(condition(report, 'Nat')).toBe('True InSync');
    expect(machine.host.lines().join('\n')).not.toMatch(/systemctl (stop|restart|disable.*) slipway-nat/);
  });

  test('waits for a default route, and keeps its outside interface when the route disappears', async () => {
    const machine = ingress();
    machine.host.files.remove('/proc/net/route');
    const slipway = machine.slipway();
    expect(condition(await live(slipway, machine, minute, isReady), 'Nat')).toMatch(/NatFailed$/);
    machine.host.files.write('/proc/net/route', routes);
    expect(condition(await live(slipway, machine, 12 * minute, isReady), 'Nat')).toBe('True InSync');
    machine.host.files.remove('/proc/net/route');
    expect(condition(await live(slipway, machine, 2 * minute), 'Nat')).toBe('True InSync');
    expect(isForwarding(machine)).toBe(true);
  });

  test('is reported as NatFailed if nft refuses the rules, and the node runs', async () => {
    const machine = ingress();
    machine.units.nat.refuses = 'Error: Could not process rule: Operation not supported';
    const report = await live(machine.slipway(), machine, 8 * minute);
    expect(condition(report, 'Nat')).toBe('False NatFailed');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
  });
});

describe('a range that the settings no longer name', () => {
  const other = 'network: { nat: { from: [10.0.3.0/24] } }\n';

  test.each([
    ['with another range', other],
    ['without NAT', '{}\n'],
  ])('keeps NAT, and the condition suggests the consent that ends it: settings %s', async (_, nat) => {
    const { machine, slipway } = await changed(nat);
    const report = await live(slipway, machine, 2 * minute);
    expect(isForwarding(machine)).toBe(true);
    const told = natKept(report);
    expect(told?.status).toBe('False');
    expect(told?.message).toContain('consent: { natRemoval: [10.0.2.0/24] }');
    expect(condition(report, 'NodeReady')).toBe('True InSync');
  });

  test('keeps NAT even if the rules file with the range is lost', async () => {
    const { machine, slipway } = await changed('{}\n');
    machine.host.files.remove(rules);
    const report = await live(slipway, machine, 2 * minute);
    expect(machine.units.nat.rules).toContain(masquerade);
    expect(natKept(report)?.message).toContain('natRemoval: [all]');
  });

  test('loses NAT with consent, and the range in the settings keeps NAT', async () => {
    const { machine, slipway } = await changed(`${other}consent: { natRemoval: [10.0.2.0/24] }\n`);
    const report = await live(slipway, machine, 2 * minute);
    expect(isForwarding(machine)).toBe(false);
    expect(machine.units.nat.rules).toContain('ip saddr 10.0.3.0/24 masquerade');
    expect(condition(report, 'Nat')).toBe('True InSync');
  });

  const gone = 'consent: { natRemoval: [10.0.2.0/24] }\n';

  test('is removed, with consent, together with all files and rules of NAT if it was the last range', async () => {
    const { machine, slipway } = await changed(gone);
    await live(slipway, machine, 6 * minute, isReady);
    expect([rules, unit, sysctl].map((path) => machine.host.files.stat(path))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(machine.units.nat.rules).toBeUndefined();
  });

  test('is removed completely, even after a crash before any mutation of the removal', async () => {
    for (let mutation = 1; mutation <= 6; mutation += 1) {
      const { machine } = await changed(gone);
      machine.host.restart().crashBefore(mutation);
      await live(machine.slipway(), machine, 2 * minute).catch(onlyCrash);
      expect(machine.host.crashed).toBe(true);
      machine.host.restart();
      await live(machine.slipway(), machine, 2 * minute, isReady);
      expect([rules, unit, sysctl].map((path) => machine.host.files.stat(path))).toEqual([
        undefined,
        undefined,
        undefined,
      ]);
      expect(machine.units.nat.rules).toBeUndefined();
    }
  });
});

describe('the first boot of a node with NAT', () => {
  test('recovers from a crash before each mutation of NAT', async () => {
    for (let mutation = 1; mutation <= 6; mutation += 1) {
      const machine = ingress();
      machine.host.crashBefore(mutation);
      await live(machine.slipway(), machine, minute, isReady).catch(onlyCrash);
      expect(machine.host.crashed).toBe(true);
      machine.host.restart();
      const report = await live(machine.slipway(), machine, 2 * minute, isReady);
      expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
      expect(isForwarding(machine)).toBe(true);
    }
  });

  test('is planned by a dry run, which writes nothing', async () => {
    const machine = ingress();
    const before = machine.host.files.snapshot();
    const report = await machine.slipway(recordingHost).pass();
    expect(machine.host.files.snapshot()).toEqual(before);
    expect(report.outcomes.map(({ resource }) => resource.id)).toContain('Nat/rules');
  });
});

function natKept({ conditions }: Report): Condition | undefined {
  return conditions.find(({ type, reason }) => type !== 'Ready' && reason === 'NatKept');
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
