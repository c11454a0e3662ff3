import { expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import { readTurn } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { Crash } from '../lab/memory-host.ts';
import { booted, condition, live, noRestarts, type Vm } from '../scenario/a-vm.ts';
import { annotationsOf } from '../scenario/cluster.ts';

const minute = 60_000;
const paths = nodePaths('/');
const auto = `${noRestarts}maintenance: { reboot: auto }\n`;

function ask({ host }: Vm, packages = 'linux-base\n'): void {
  host.files.write(paths.system.rebootRequired, '');
  host.files.write(paths.system.rebootPackages, packages);
}

function node({ kubernetes }: Vm, name: string) {
  const spec = Object(kubernetes.objects.get('nodes', undefined, name)?.spec);
  return { isCordoned: spec.unschedulable === true };
}

/** Lives as the daemon and its machine do for `time` milliseconds: a command to reboot takes effect after the pass. */
async function survive(machine: Vm, time: number): Promise<Report> {
  const end = machine.host.now() + time;
  for (;;) {
    const { orders } = machine.units;
    const rest = Math.max(0, end - machine.host.now());
    const report = await live(machine.slipway(), machine, rest, () => machine.units.orders > orders);
    if (machine.units.orders === orders) {
      return report;
    }
    await machine.reboot();
  }
}

test.each(['agent', 'server'])('a %s reboots in its turn, and then serves again', async (role) => {
  const { machine } = await booted(role, auto);
  const { length } = machine.host.journal;
  ask(machine);
  const report = await survive(machine, 15 * minute);
  expect(machine.units.boots).toBe(1);
  expect(condition(report, 'Maintenance')).toBe('True InSync');
  expect(condition(report, 'Ready')).toBe('True InSync');
  expect(node(machine, `${role}-1`)).toEqual({ isCordoned: false });
  const { request, state } = readTurn(annotationsOf(machine, `${role}-1`));
  expect(request).toBeUndefined();
  expect(state).toMatchObject({ state: 'done', wish: 'reboot' });
  const said = machine.host.journal
    .slice(length)
    .map((action) => (action.kind === 'send' ? action.body : ''));
  // The only server of a cluster has nowhere to evict its pods to.
  expect(said.join('').includes('"unschedulable":true')).toBe(role === 'agent');
});

test('a distribution that asks for the same reboot minutes after each boot makes the node reboot only once', async () => {
  const { machine } = await booted('agent', auto);
  ask(machine);
  await survive(machine, 15 * minute);
  expect(machine.units.boots).toBe(1);
  ask(machine);
  const report = await survive(machine, 60 * minute);
  expect(machine.units.boots).toBe(1);
  expect(condition(report, 'Maintenance')).toBe('False RebootFailed');
  expect(node(machine, 'agent-1')).toEqual({ isCordoned: false });
});

test('a node reboots neither without a turn nor by slipway apply --restart, and stays Ready', async () => {
  const { machine } = await booted('agent', auto);
  machine.granter.isGranting = false;
  ask(machine);
  const report = await live(machine.slipway(undefined, { isByPerson: true }), machine, 30 * minute);
  expect(machine.units.orders).toBe(0);
  expect(condition(report, 'Maintenance')).toBe('Unknown TurnAwaited');
  expect(condition(report, 'Ready')).toBe('True InSync');
  expect(readTurn(annotationsOf(machine, 'agent-1')).request).toMatchObject({ kind: 'reboot', drain: true });
});

test('a node whose K3s is down does not reboot', async () => {
  const { machine } = await booted('agent', auto);
  machine.units.failing = 'level=fatal msg="not now"';
  await machine.host.run({ file: 'systemctl', args: ['restart', '--no-block', 'k3s-agent.service'] });
  ask(machine);
  await live(machine.slipway(), machine, 30 * minute);
  expect(machine.units.orders).toBe(0);
});

test('a node does not reboot by default, and reports RebootRequired', async () => {
  const { machine, slipway } = await booted('agent');
  ask(machine);
  const report = await live(slipway, machine, 15 * minute);
  expect(machine.units.orders).toBe(0);
  expect(condition(report, 'Maintenance')).toBe('False RebootRequired');
  expect(condition(report, 'Ready')).toBe('True RebootRequired');
});

test('an upgrade waits for the end of the reboot', async () => {
  const settings = (pause: boolean) =>
    `${noRestarts}k3s: { upgrade: auto }\nmaintenance: { reboot: auto, pause: ${pause} }\n`;
  const { machine } = await booted('server', settings(true));
  const wish = () => readTurn(annotationsOf(machine, 'server-1')).request?.wish;
  machine.cloud.tag('k3s-version', 'v1.36.4+k3s1');
  await live(machine.slipway(), machine, 10 * minute);
  expect(wish()).toBe('upgrade v1.36.4+k3s1');
  ask(machine);
  await live(machine.slipway(), machine, 10 * minute);
  expect(wish()).toBe('reboot');
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', settings(false));
  await survive(machine, 30 * minute);
  expect(machine.units.boots).toBe(1);
  expect(machine.host.files.text(paths.k3s.binary)).toBe('k3s v1.36.4+k3s1');
});

test('packages that ask for a reboot during the drain need no second turn', async () => {
  const { machine } = await booted('agent', auto);
  const isBegun = () => readTurn(annotationsOf(machine, 'agent-1')).state?.state === 'begun';
  ask(machine);
  await live(machine.slipway(), machine, 5 * minute, isBegun);
  const { nonce } = readTurn(annotationsOf(machine, 'agent-1')).state ?? {};
  ask(machine, 'dbus\nlinux-base\n');
  await survive(machine, 15 * minute);
  expect(machine.units.boots).toBe(1);
  expect(readTurn(annotationsOf(machine, 'agent-1')).state).toMatchObject({ nonce, state: 'done' });
});

test('a machine that does not reboot serves again after ten minutes, and its turn counts as failed', async () => {
  const { machine } = await booted('agent', auto);
  ask(machine);
  const report = await live(machine.slipway(), machine, 20 * minute);
  expect(machine.units.orders).toBeGreaterThan(0);
  expect(condition(report, 'Maintenance')).toBe('False RebootFailed');
  expect(node(machine, 'agent-1')).toEqual({ isCordoned: false });
  const { request, state } = readTurn(annotationsOf(machine, 'agent-1'));
  expect(request).toBeUndefined();
  expect(state).toMatchObject({ state: 'rolledBack', wish: 'reboot' });
  const { orders } = machine.units;
  await live(machine.slipway(), machine, 60 * minute);
  expect(machine.units.orders).toBe(orders);
});

test('a reboot ends with one boot and no cordon after a crash before any mutation', async () => {
  const whole = await rebootedVm();
  expect(whole.mutations).toBeGreaterThan(8);
  for (let mutation = 1; mutation <= whole.mutations; mutation += 1) {
    const { machine } = await rebootedVm(mutation);
    expect(machine.units.boots).toBe(1);
    expect(node(machine, 'agent-1')).toEqual({ isCordoned: false });
    const { request, state } = readTurn(annotationsOf(machine, 'agent-1'));
    expect(request).toBeUndefined();
    expect(state?.state).toBe('done');
  }
}, 120_000);

/** Lets an agent reboot in its turn; its daemon crashes before the mutation `crashBefore`, if given. */
async function rebootedVm(
  crashBefore = Number.POSITIVE_INFINITY,
): Promise<{ machine: Vm; mutations: number }> {
  const { machine } = await booted('agent', auto);
  machine.host.restart();
  ask(machine);
  machine.host.crashBefore(crashBefore);
  await survive(machine, 15 * minute).catch(onlyCrash);
  const { mutations } = machine.host;
  if (crashBefore < Number.POSITIVE_INFINITY) {
    expect(machine.host.crashed).toBe(true);
    machine.host.restart();
    const report = await survive(machine, 15 * minute);
    expect(condition(report, 'Maintenance')).toBe('True InSync');
    expect(condition(report, 'Ready')).toBe('True InSync');
  }
  return { machine, mutations };
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
