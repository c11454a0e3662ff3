import { expect, test } from 'vitest';
import { type Finding, waiting } from '../../../../../../src/agent/engine/resource.ts';
import { type Gate, openGate, type Wish } from '../../../../../../src/agent/parts/k3s/index.ts';
import { rebooted, rebootGivenUp } from '../../../../../../src/agent/parts/maintenance/reboot/reboot.ts';
import { nodePaths } from '../../../../../../src/agent/paths.ts';
import { type KernelClock, kernelClock } from '../../../../../lab/kernel-clock.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';

const hour = 3_600_000;
const paths = nodePaths('/');
const { rebootRequired, rebootPackages, rebootNeeded } = paths.system;

interface Machine {
  readonly host: MemoryHost;
  readonly kernel: KernelClock;
}

/** Returns a machine whose distribution asks for a reboot because of these packages. */
function asking(packages = 'linux-base\nlibc6\nlinux-base\n'): Machine {
  const host = memoryHost({ directories: ['/proc'] });
  const kernel = kernelClock(host);
  ask(host, packages);
  host.on({ file: 'systemctl', args: ['reboot'] });
  return { host, kernel };
}

function ask({ files }: MemoryHost, packages: string): void {
  files.write(rebootRequired, '*** System restart required ***\n');
  files.write(rebootPackages, packages);
}

function check({ host }: Machine, reboot: 'manual' | 'auto' = 'auto', gate: Gate = openGate) {
  const node = aNode('agent', { settings: { maintenance: { reboot } } });
  return rebooted(node, gate, []).check(host);
}

async function obey(machine: Machine): Promise<void> {
  const finding = await check(machine);
  if (finding.state !== 'Drifted') {
    throw new Error(`${finding.state} is not Drifted`);
  }
  await finding.drift.remedy(machine.host);
}

function text(finding: Finding): string {
  return finding.state === 'Waiting' ? `${finding.reason} ${finding.message}` : finding.state;
}

/** Returns the number of commands to reboot. */
function orders({ host }: Machine): number {
  return host.journal.filter((action) => action.kind === 'run' && action.command === 'systemctl reboot')
    .length;
}

test('a machine whose distribution asks for no reboot is in sync', async () => {
  const machine = asking();
  machine.host.files.remove(rebootRequired);
  expect(text(await check(machine))).toBe('InSync');
});

test('a required reboot is reported with its packages and its time if reboots are manual', async () => {
  const finding = await check(asking(), 'manual');
  expect(finding).toMatchObject({ reason: 'RebootRequired', blocks: false, endedBy: 'person' });
  expect(text(finding)).toContain('since 2026-01-01T00:00Z for libc6, linux-base.');
});

test('a required reboot is reported without packages on SUSE', async () => {
  const machine = asking();
  machine.host.files.remove(rebootRequired);
  machine.host.files.write(rebootNeeded, '');
  expect(text(await check(machine, 'manual'))).toMatch(/^RebootRequired .* since 2026-01-01T00:00Z\. /);
});

test('the message names no more than ten packages, and nothing that is not a package', async () => {
  const names = Array.from({ length: 14 }, (_, at) => `package-${String(at).padStart(2, '0')}`);
  const told = text(await check(asking(`\u001b[31mred\n$(reboot)\n${names.join('\n')}\n`), 'manual'));
  expect(told).toContain('package-09 and 4 more packages');
  expect(told).not.toMatch(/\bred\b|package-10/);
});

test('the wish for the gate depends on the packages, but not on their order', async () => {
  const wishes: Wish[] = [];
  const gate: Gate = async (_, wish) => {
    wishes.push(wish);
    return waiting('TurnAwaited', 'later');
  };
  expect(text(await check(asking('a1\nb2\n'), 'auto', gate))).toBe('TurnAwaited later');
  await check(asking('b2\na1\n'), 'auto', gate);
  await check(asking('b2\n'), 'auto', gate);
  const [first, second, third] = wishes;
  expect(first).toEqual({ kind: 'reboot', name: 'reboot', digest: expect.stringMatching(/^[0-9a-f]{12}$/) });
  expect(second).toEqual(first);
  expect(third?.digest).not.toBe(first?.digest);
});

test('the reboot is recorded before the command to reboot', async () => {
  const machine = asking();
  await obey(machine);
  expect(machine.host.lines()).toEqual([
    expect.stringContaining(paths.slipway.reboot),
    expect.stringContaining('systemctl reboot'),
  ]);
  expect(text(await check(machine))).toBe('InTurn The machine is about to reboot.');
});

test('the command to reboot is given again after a minute, for example after a crash just before it', async () => {
  const machine = asking();
  machine.host.crashBefore(2);
  await obey(machine).catch(() => undefined);
  machine.host.restart();
  expect(orders(machine)).toBe(0);
  expect(text(await check(machine))).toMatch(/^InTurn/);
  machine.host.advance(60_000);
  await obey(machine);
  expect(orders(machine)).toBe(1);
});

test('a reboot that does not happen within ten minutes is given up and reported, whatever the clock shows', async () => {
  const machine = asking();
  let digest = '';
  const gate: Gate = async (_, wish) => {
    digest = wish.digest;
    return undefined;
  };
  await check(machine, 'auto', gate);
  for (let minute = 0; minute < 10; minute += 1) {
    await obey(machine);
    expect(text(await check(machine))).toMatch(/^InTurn/);
    machine.host.setClock(machine.host.now() - 3_600_000);
    expect(await rebootGivenUp(machine.host, { paths }, digest)).toBeUndefined();
    machine.host.advance(60_000);
  }
  const finding = await check(machine, 'auto', gate);
  expect(finding).toMatchObject({ reason: 'RebootFailed', blocks: false, endedBy: 'person' });
  expect(text(finding)).toContain('within ten minutes');
  expect(await rebootGivenUp(machine.host, { paths }, digest)).toMatch(/did not reboot/);
  expect(await rebootGivenUp(machine.host, { paths }, 'aaaaaaaaaaaa')).toBeUndefined();
  machine.kernel.reboot();
  expect(await rebootGivenUp(machine.host, { paths }, digest)).toBeUndefined();
});

test('a reboot is left to a person if its cause is still there after a reboot', async () => {
  const machine = asking();
  await obey(machine);
  machine.kernel.reboot();
  ask(machine.host, 'libc6\nlinux-base\n');
  for (const mode of ['auto', 'manual'] as const) {
    const finding = await check(machine, mode);
    expect(finding).toMatchObject({ reason: 'RebootFailed', blocks: false, endedBy: 'person' });
    expect(text(finding)).toContain('does not reboot twice for one cause within a day');
  }
  expect(orders(machine)).toBe(1);
});

test('another cause after the reboot leads to another reboot', async () => {
  const machine = asking();
  await obey(machine);
  machine.kernel.reboot();
  ask(machine.host, 'dbus\n');
  await obey(machine);
  expect(orders(machine)).toBe(2);
  expect(text(await check(machine))).toMatch(/^InTurn/);
});

test('a cause that comes back after reboots for other causes is left to a person for a day', async () => {
  const machine = asking();
  const day = ['libc6\n', 'dbus\n', 'linux-base\n'];
  for (const packages of day) {
    ask(machine.host, packages);
    await obey(machine);
    machine.kernel.reboot();
    machine.host.advance(11 * hour);
  }
  for (const packages of day.slice(1)) {
    ask(machine.host, packages);
    expect(text(await check(machine))).toMatch(/^RebootFailed .* same reboot again/);
  }
  ask(machine.host, 'libc6\n');
  await obey(machine);
  expect(orders(machine)).toBe(4);
});

test('a command that is given again in the same boot keeps the reboots before it', async () => {
  const machine = asking('libc6\n');
  await obey(machine);
  machine.kernel.reboot();
  ask(machine.host, 'dbus\n');
  await obey(machine);
  machine.host.advance(60_000);
  await obey(machine);
  machine.kernel.reboot();
  ask(machine.host, 'libc6\n');
  expect(text(await check(machine))).toMatch(/^RebootFailed .* same reboot again/);
});

test('a record of an earlier release, which lacks the reboots before the last one, is read', async () => {
  const machine = asking('libc6\n');
  await obey(machine);
  const { earlier, ...record } = JSON.parse(machine.host.files.text(paths.slipway.reboot) ?? '');
  expect(earlier).toEqual([]);
  machine.host.files.write(paths.slipway.reboot, JSON.stringify(record));
  machine.kernel.reboot();
  ask(machine.host, 'libc6\n');
  expect(text(await check(machine))).toMatch(/^RebootFailed .* same reboot again/);
});

test('a cause that is gone after the reboot and comes back within a day is left to a person', async () => {
  const machine = asking();
  await obey(machine);
  machine.kernel.reboot();
  expect(text(await check(machine))).toBe('InSync');
  machine.host.advance(23 * hour);
  expect(text(await check(machine))).toBe('InSync');
  ask(machine.host, 'libc6\nlinux-base\n');
  machine.host.advance(2 * hour);
  expect(text(await check(machine))).toMatch(/^RebootFailed .* same reboot again/);
  expect(orders(machine)).toBe(1);
});

test('the same cause leads to another reboot once a boot of a day was seen without it', async () => {
  const machine = asking();
  await obey(machine);
  machine.kernel.reboot();
  machine.host.advance(24 * hour);
  await obey(machine);
  expect(machine.host.files.stat(paths.slipway.reboot)).toBeUndefined();
  expect(text(await check(machine))).toBe('InSync');
  ask(machine.host, 'libc6\nlinux-base\n');
  await obey(machine);
  expect(orders(machine)).toBe(2);
});

test('the record of a reboot that is under way stays even if its cause is gone', async () => {
  const machine = asking();
  await obey(machine);
  machine.host.files.remove(rebootRequired);
  expect(text(await check(machine))).toBe('InSync');
  expect(machine.host.files.stat(paths.slipway.reboot)).toBeDefined();
});
