import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { booted, condition, isReady, live, type Vm } from './a-vm.ts';
import { joinToken } from './world.ts';

const minute = 60_000;
const owned = {
  server: [
    '/etc/modules-load.d/slipway-k3s.conf',
    '/etc/sysctl.d/90-slipway-k3s.conf',
    '/etc/rancher/k3s/config.yaml',
    '/etc/rancher/k3s/registries.yaml',
    '/etc/systemd/system/k3s.service',
    '/var/lib/slipway/join-token',
    '/usr/local/bin/k3s-killall.sh',
    '/usr/local/bin/k3s-uninstall.sh',
  ],
} as const;

describe.each(owned.server)('%s', (path) => {
  test.each([
    ['edited', (machine: Vm) => machine.host.files.write(path, 'by hand: true\n', 0o600)],
    ['removed', (machine: Vm) => machine.host.files.remove(path)],
    [
      'made readable by all users',
      (machine: Vm) => machine.host.files.write(path, machine.host.files.text(path) ?? '', 0o666),
    ],
    ['given to another user', (machine: Vm) => machine.host.files.give(path, '1000:1000')],
  ])('is restored after it was %s', async (_, edit) => {
    const { machine, slipway } = await booted('server');
    const before = machine.host.files.read(path);
    edit(machine);
    const report = await live(slipway, machine, 6 * minute, isReady);
    const after = machine.host.files.read(path);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(after?.mode).toBe(before?.mode);
    expect(after?.foreignOwner).toBeUndefined();
    if (!path.endsWith('registries.yaml')) {
      expect(after?.content).toBe(before?.content);
    }
    expect(after?.content).not.toContain('by hand');
    expect(machine.units.starts).toBe(1);
  });
});

test("the operator's drop-ins are kept, and cause no restart of K3s", async () => {
  const { machine, slipway } = await booted('server');
  const path = '/etc/rancher/k3s/config.yaml.d/50-mine.yaml';
  machine.host.files.write(path, 'tls-san: [k8s.example]\n');
  await live(slipway, machine, 10 * minute);
  expect(machine.host.files.text(path)).toBe('tls-san: [k8s.example]\n');
  expect(machine.units.starts).toBe(1);
});

test('a drop-in with another node name keeps Slipway from restarting K3s', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write('/etc/rancher/k3s/config.yaml.d/50-mine.yaml', 'debug: true\nnode-name: other\n');
  machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { disable: [traefik] } }\n');
  const report = await live(slipway, machine, 10 * minute);
  expect(machine.units.starts).toBe(1);
  expect(condition(report, 'K3sConfig')).toBe('False K3sOverridden');
  expect(JSON.stringify(report.conditions)).toContain('50-mine.yaml, line 2');
});

test('a drop-in with another cluster-cidr keeps Slipway from restarting K3s', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write('/etc/rancher/k3s/config.yaml.d/50-mine.yaml', 'cluster-cidr: 10.50.0.0/16\n');
  machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { disable: [traefik] } }\n');
  const report = await live(slipway, machine, 10 * minute);
  expect(machine.units.starts).toBe(1);
  expect(condition(report, 'K3sConfig')).toBe('False SettingsIrreversible');
  expect(JSON.stringify(report.conditions)).toContain('50-mine.yaml, line 1');
});

test('a change of k3s.config restarts K3s once', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { disable: [traefik] } }\n');
  await live(slipway, machine, 10 * minute);
  expect(machine.units.starts).toBe(2);
});

test('after a reboot Slipway restores only files below /run, and K3s starts once', async () => {
  const { machine } = await booted('server');
  const { length } = machine.host.journal;
  await machine.reboot();
  await live(machine.slipway(), machine, 5 * minute, isReady);
  const did = machine.host.lines().slice(length);
  expect(did.filter((line) => !/^(write \/run\/|send GET https:\/\/team\.azurecr\.io\/)/.test(line))).toEqual(
    [],
  );
  expect(machine.units.starts).toBe(2);
});

test('invalid settings are reported, and the last valid settings stay in effect', async () => {
  const { machine, slipway } = await booted('agent');
  machine.host.files.write('/etc/slipway/config.d/broken.yaml', 'k3s: { verson: v1.36.3+k3s1 }\n');
  const report = await live(slipway, machine, 6 * minute);
  expect(condition(report, 'Settings')).toBe('False InvalidSettings');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  machine.host.files.remove('/etc/slipway/config.d/broken.yaml');
  expect(condition(await live(slipway, machine, 6 * minute), 'Settings')).toBe('True InSync');
});

test('a node stays Ready and its files are restored while the cloud is down', async () => {
  const { machine, slipway } = await booted('agent');
  for (const call of ['identity', 'secret', 'registryPassword'] as const) {
    machine.cloud.fail(call, new NodeError('IdentityUnavailable', 'down'));
  }
  machine.host.files.write('/etc/rancher/k3s/config.yaml', 'node-name: "other"\n');
  const report = await live(slipway, machine, 30 * minute);
  expect(condition(report, 'Identity')).toMatch(/IdentityUnavailable/);
  expect(condition(report, 'K3sConfig')).toBe('True InSync');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
});

test('no secret appears in a journal, an event or a report', async () => {
  const { machine, slipway } = await booted('server');
  const report = await live(slipway, machine, 180 * minute);
  const seen = JSON.stringify([machine.host.lines(), machine.events, report]);
  expect(seen).not.toContain(joinToken);
  expect(seen).not.toContain('git-token-canary');
  expect(seen).not.toMatch(/eyJhbGciOi/);
});
