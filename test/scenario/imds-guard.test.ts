import { describe, expect, test } from 'vitest';
import { booted, condition, isReady, live, noRestarts, vm } from './a-vm.ts';

const minute = 60_000;
const rules = '/var/lib/slipway/imds-guard.nft';
const keeps = /ip daddr 169\.254\.169\.254 jump refuse_/;
const unit = '/etc/systemd/system/slipway-imds-guard.service';

test('pods are blocked from the metadata service before the first start of K3s', async () => {
  const machine = vm('agent');
  await live(machine.slipway(), machine, minute, isReady);
  const lines = machine.host.lines();
  const guarded = lines.indexOf('run systemctl reload-or-restart slipway-imds-guard.service');
  expect(guarded).toBeGreaterThan(-1);
  expect(guarded).toBeLessThan(lines.indexOf('run systemctl start --no-block k3s-agent.service'));
  expect(machine.units.netfilter.rules).toMatch(keeps);
});

test('pods are blocked from the metadata service after a reboot, before Slipway runs', async () => {
  const { machine } = await booted('agent');
  await machine.reboot();
  expect(machine.units.netfilter.rules).toMatch(keeps);
});

test.each([
  ['flushed', (machine: ReturnType<typeof vm>) => machine.units.netfilter.flush()],
  ['emptied', (machine: ReturnType<typeof vm>) => machine.units.netfilter.emptyChains()],
])('guard rules that were %s by hand are loaded again', async (_, damage) => {
  const { machine, slipway } = await booted('agent');
  const before = machine.units.netfilter.rules;
  damage(machine);
  const report = await live(slipway, machine, 6 * minute, isReady);
  expect(machine.units.netfilter.rules).toBe(before);
  expect(condition(report, 'ImdsGuard')).toBe('True InSync');
});

test.each([rules, unit])('%s is restored after an edit', async (path) => {
  const { machine, slipway } = await booted('agent');
  const before = machine.host.files.text(path);
  machine.host.files.write(path, 'flush ruleset\n');
  await live(slipway, machine, 6 * minute, isReady);
  expect(machine.host.files.text(path)).toBe(before);
});

test('a change of imds.allow is loaded without stopping the guard', async () => {
  const { machine, slipway } = await booted('agent');
  const allow = 'imds: { allow: [{ name: monitor, uid: 104 }, { name: backup, from: 10.42.3.7 }] }\n';
  machine.host.files.write('/etc/slipway/config.d/imds.yaml', allow);
  const report = await live(slipway, machine, 6 * minute, isReady);
  expect(machine.units.netfilter.rules).toMatch(/skuid != \{ 0, 104 \} jump refuse_/);
  expect(machine.units.netfilter.rules).toContain('ip saddr 10.42.3.7 accept comment "backup"');
  expect(report.conditions.find(({ type }) => type === 'ImdsGuard')?.message).toBe(
    'pods are kept from 169.254.169.254; let through: monitor, backup',
  );
  expect(machine.host.lines().join('\n')).not.toMatch(/systemctl (stop|restart) slipway-imds/);
});

test('a node without nftables runs, reports NftablesMissing, and gets the guard once nftables is installed', async () => {
  const machine = vm('agent');
  machine.host.files.remove('/usr/sbin/nft');
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 2 * minute);
  expect(condition(report, 'ImdsGuard')).toBe('False NftablesMissing');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  expect(condition(report, 'Ready')).toBe('True NftablesMissing');
  machine.host.files.write('/usr/sbin/nft', 'nft', 0o755);
  expect(condition(await live(slipway, machine, 6 * minute, isReady), 'ImdsGuard')).toBe('True InSync');
});

test('guard rules that the kernel refuses are reported with the error of nft and tried again, and the node runs', async () => {
  const machine = vm('agent');
  machine.units.netfilter.refuses = 'Error: Could not process rule: Operation not supported';
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 8 * minute);
  expect(condition(report, 'ImdsGuard')).toBe('False ImdsGuardFailed');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  expect(report.conditions.find(({ type }) => type === 'ImdsGuard')?.message).toContain(
    'It wrote: Error: Could not process rule: Operation not supported',
  );
  machine.units.netfilter.refuses = undefined;
  expect(condition(await live(slipway, machine, 15 * minute, isReady), 'ImdsGuard')).toBe('True InSync');
});

test('pods stay blocked on a node whose guard files were removed while the node was off', async () => {
  const { machine } = await booted('agent');
  const before = machine.units.netfilter.rules;
  machine.host.files.remove(rules);
  machine.host.files.remove(unit);
  await machine.reboot();
  const report = await live(machine.slipway(), machine, 2 * minute, isReady);
  expect(condition(report, 'ImdsGuard')).toBe('True InSync');
  expect(machine.units.netfilter.rules).toBe(before);
});

test('with imds.pods: allow, Slipway forgets a guard of which only the boot link of the unit remains', async () => {
  const { machine } = await booted('agent');
  machine.host.files.remove(rules);
  machine.host.files.remove(unit);
  await machine.reboot();
  machine.host.files.write('/etc/slipway/config.d/imds.yaml', 'imds: { pods: allow }\n');
  const slipway = machine.slipway();
  await live(slipway, machine, 2 * minute, isReady);
  machine.host.files.remove('/etc/slipway/config.d/imds.yaml');
  const report = await live(slipway, machine, 6 * minute);
  expect(condition(report, 'ImdsGuard')).toBe('False ImdsGuardUndecided');
});

test('imds.pods: allow removes the guard completely', async () => {
  const { machine, slipway } = await booted('agent');
  machine.host.files.write('/etc/slipway/config.d/imds.yaml', 'imds: { pods: allow }\n');
  const { length } = machine.host.journal;
  const report = await live(slipway, machine, 6 * minute, isReady);
  expect(
    machine.host
      .lines()
      .slice(length)
      .filter((line) => !line.startsWith('write /run/')),
  ).toEqual([
    'run systemctl disable --now slipway-imds-guard.service',
    expect.stringMatching(/^run systemd-run .* \/usr\/sbin\/nft delete table inet slipway_imds$/),
    `remove ${unit}`,
    `remove ${rules}`,
    'run systemctl daemon-reload',
  ]);
  expect(machine.units.netfilter.rules).toBeUndefined();
  expect(condition(report, 'ImdsGuard')).toBe('True InSync');
});

test('imds.pods: allow removes the guard completely, even after a crash before any step', async () => {
  for (let mutation = 1; mutation <= 5; mutation += 1) {
    const { machine, slipway } = await booted('agent');
    machine.host.files.write('/etc/slipway/config.d/imds.yaml', 'imds: { pods: allow }\n');
    machine.host.restart().crashBefore(mutation);
    await live(slipway, machine, 2 * minute).catch(() => {});
    expect(machine.host.crashed).toBe(true);
    machine.host.restart();
    await live(machine.slipway(), machine, 2 * minute, isReady);
    expect([machine.host.files.stat(unit), machine.host.files.stat(rules)]).toEqual([undefined, undefined]);
    expect(machine.units.netfilter.rules).toBeUndefined();
  }
});

test('a metadata service at a loopback address gets no guard', async () => {
  const machine = vm('agent', `${noRestarts}azure: { imdsEndpoint: "http://127.0.0.1:8080" }\n`);
  await live(machine.slipway(), machine, minute, isReady);
  expect(machine.host.files.stat(rules)).toBeUndefined();
  expect(machine.units.netfilter.rules).toBeUndefined();
});

describe('a node whose pods ran before it had a guard', () => {
  /**
   * Boots a node without a guard (`imds.pods: allow`), like a node that another tool installed. Then removes
   * `imds.pods` from the settings of the node.
   */
  async function unguarded() {
    const { machine, slipway } = await booted('agent', `${noRestarts}imds: { pods: allow }\n`);
    machine.host.files.write('/etc/slipway/config.d/extra.yaml', noRestarts);
    return { machine, slipway };
  }

  test('gets no guard, reports ImdsGuardUndecided, and stays Ready', async () => {
    const { machine, slipway } = await unguarded();
    const report = await live(slipway, machine, 6 * minute);
    expect(condition(report, 'ImdsGuard')).toBe('False ImdsGuardUndecided');
    expect(condition(report, 'Ready')).toBe('True ImdsGuardUndecided');
    expect(machine.units.netfilter.rules).toBeUndefined();
    expect(machine.host.files.stat(rules)).toBeUndefined();
  });

  test.each([
    ['block', keeps],
    ['allow', /^$/],
  ])('follows imds.pods: %s once the settings contain this value', async (pods, wanted) => {
    const { machine, slipway } = await unguarded();
    await live(slipway, machine, 6 * minute);
    machine.host.files.write('/etc/slipway/config.d/imds.yaml', `imds: { pods: ${pods} }\n`);
    const report = await live(slipway, machine, 6 * minute, isReady);
    expect(condition(report, 'ImdsGuard')).toBe('True InSync');
    expect(machine.units.netfilter.rules ?? '').toMatch(wanted);
  });
});
