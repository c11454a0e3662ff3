import { describe, expect, test } from 'vitest';
import { nodePaths } from '../../src/agent/paths.ts';
import { condition, isReady, live, vm } from './a-vm.ts';
import { adopted, installersUnit, isTimerOn } from './adopted.ts';

const minute = 60_000;
const unit = 'k3s-agent.service';
const unitPath = `/etc/systemd/system/${unit}`;
const paths = nodePaths('/');

describe("a node whose K3s runs in its installer's unit", () => {
  test('keeps its renewal timer until K3s restarts, and reports UnitAdopted until then', async () => {
    const machine = adopted();
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 30 * minute);
    expect(condition(report, 'Pulls')).toBe('False UnitAdopted');
    expect(condition(report, 'K3sRunning')).toBe('False UnitAdopted');
    expect(condition(report, 'Ready')).toBe('True UnitAdopted');
    expect(JSON.stringify(report.conditions)).toContain(`systemctl restart ${unit}`);
    expect(isTimerOn(machine)).toBe(true);
    expect(machine.units.starts).toBe(0);
    await machine.units.systemctl(['restart', '--no-block', unit]);
    const after = await live(slipway, machine, 30 * minute, isReady);
    expect(condition(after, 'Pulls')).toBe('True InSync');
    await live(slipway, machine, 5 * minute);
    expect(isTimerOn(machine)).toBe(false);
    expect(machine.matchImages).toEqual(['team.azurecr.io']);
  });

  test('restarts K3s once with consent', async () => {
    const machine = adopted({ settings: `consent: { restart: [${unit}@f0f0f0f0f0f0] }\n` });
    const slipway = machine.slipway();
    expect(isReady(await live(slipway, machine, 30 * minute, isReady))).toBe(true);
    await live(slipway, machine, 30 * minute);
    expect(machine.units.starts).toBe(1);
    expect(isTimerOn(machine)).toBe(false);
  });

  test.each(['k3s.service', `${unit}@010101010101`])(
    'does not restart K3s if the consent names a different unit, or a different start of its unit: %s',
    async (subject) => {
      const machine = adopted({ settings: `consent: { restart: [${subject}] }\n` });
      await live(machine.slipway(), machine, 30 * minute);
      expect(machine.units.starts).toBe(0);
    },
  );
});

describe('flags and registries that the next start of an adopted K3s would lose', () => {
  const flags = ['--node-label', 'team=web', '--kubelet-arg=max-pods=50', '--debug'];
  const lost = 'node-label=team=web, kubelet-arg=max-pods=50, debug=true';

  test('keep Slipway from replacing the unit and the configuration, and are listed in the condition', async () => {
    const machine = adopted({ flags, settings: `consent: { restart: [${unit}] }\n` });
    const old = machine.host.files.text(unitPath);
    const report = await live(machine.slipway(), machine, 30 * minute);
    expect(condition(report, 'K3sRunning')).toBe('False UnitAdopted');
    expect(condition(report, 'K3sConfig')).toBe('False UnitAdopted');
    expect(condition(report, 'Pulls')).toBe('False UnitAdopted');
    expect(JSON.stringify(report.conditions)).toContain(lost);
    expect(machine.host.files.text(unitPath)).toBe(old);
    expect(machine.host.files.text(paths.k3s.config)).toBeUndefined();
    expect(machine.units.starts).toBe(0);
    expect(isTimerOn(machine)).toBe(true);
  });

  test('do not keep Slipway from replacing the unit if settings, drop-ins or consent cover all flags', async () => {
    const settings = `consent: { restart: [${unit}], lostFlags: [debug=true] }\nnode: { labels: [team=web] }\n`;
    const machine = adopted({ flags, settings });
    machine.host.files.write('/etc/rancher/k3s/config.yaml.d/10-mine.yaml', 'kubelet-arg: [max-pods=50]\n');
    expect(isReady(await live(machine.slipway(), machine, 30 * minute, isReady))).toBe(true);
    expect(machine.host.files.text(unitPath)).toMatch(/^# Written by Slipway/);
    expect(machine.units.starts).toBe(1);
  });

  test('keep Slipway from replacing a config.yaml that contains the flags', async () => {
    const machine = adopted();
    machine.host.files.write(
      paths.k3s.config,
      'pause-image: a.example/pause:1\nprotect-kernel-defaults: false\nv: 2\n',
      0o600,
    );
    const report = await live(machine.slipway(), machine, 30 * minute);
    expect(condition(report, 'K3sConfig')).toBe('False UnitAdopted');
    expect(JSON.stringify(report.conditions)).toContain('pause-image=a.example/pause:1, v=2');
    expect(machine.host.files.text(paths.k3s.config)).toContain('pause-image');
  });

  test('keep Slipway from replacing the registries.yaml that names the registries', async () => {
    const machine = adopted();
    const text = 'mirrors: { docker.io: { endpoint: ["https://mirror.example"] } }\n';
    machine.host.files.write(paths.k3s.registries, text, 0o600);
    const report = await live(machine.slipway(), machine, 30 * minute);
    expect(condition(report, 'Registries')).toBe('False UnitAdopted');
    expect(JSON.stringify(report.conditions)).toContain('next start: registries.mirrors.docker.io. ');
    expect(machine.host.files.text(paths.k3s.registries)).toBe(text);
    expect(isTimerOn(machine)).toBe(true);
  });

  test('do not include the registries in registries.yaml if the settings name no registry', async () => {
    const machine = adopted({ settings: 'registries: { servers: [] }\n' });
    const text = 'mirrors: { docker.io: { endpoint: ["https://mirror.example"] } }\n';
    machine.host.files.write(paths.k3s.registries, text, 0o600);
    await live(machine.slipway(), machine, 5 * minute);
    expect(machine.host.files.text(unitPath)).toMatch(/^# Written by Slipway/);
    expect(machine.host.files.text(paths.k3s.registries)).toBe(text);
  });

  test('do not include flags with the default values of K3s', async () => {
    const machine = vm('server');
    const flags = ['--cluster-cidr=10.42.0.0/16', '--flannel-backend', 'vxlan', '--secrets-encryption=false'];
    const unitFile = '/etc/systemd/system/k3s.service';
    const text = installersUnit(...flags)
      .replace('k3s-agent', 'k3s')
      .replace('agent', 'server');
    machine.host.files.write(unitFile, text);
    await live(machine.slipway(), machine, minute);
    expect(machine.host.files.text(unitFile)).toMatch(/^# Written by Slipway/);
  });

  const endpoint = 'datastore-endpoint=postgres://u:canary@db/k3s';
  test.each([
    ['on the command line of the unit', [`--${endpoint}`], ''],
    ['in the environment of the unit', [], 'Environment=K3S_DATASTORE_ENDPOINT=postgres://u:canary@db/k3s'],
    ['in an environment file', [], 'EnvironmentFile=-/etc/k3s/env'],
  ])(
    'keep Slipway from replacing the unit despite consent if the cluster needs the flags: %s',
    async (_, flags, line) => {
      const lost = 'datastore-endpoint, secrets-encryption=true';
      const settings = `consent: { lostFlags: [${lost}, debug=true, EnvironmentFile=/etc/k3s/env] }\n`;
      const machine = vm('server', settings);
      machine.host.files.write('/etc/k3s/env', 'K3S_DATASTORE_ENDPOINT=postgres://u:canary@db/k3s\n', 0o600);
      const unitFile = '/etc/systemd/system/k3s.service';
      const text = installersUnit(...flags, '--secrets-encryption', '--debug')
        .replace('k3s-agent', 'k3s')
        .replace('agent', 'server')
        .replace('[Service]\n', `[Service]\n${line}\n`);
      machine.host.files.write(unitFile, text);
      const report = await live(machine.slipway(), machine, minute);
      expect(condition(report, 'K3sRunning')).toBe('False UnitAdopted');
      expect(JSON.stringify(report.conditions)).toContain(`The cluster cannot do without ${lost}.`);
      expect(JSON.stringify(report.conditions)).not.toContain('canary');
      expect(machine.host.files.text(unitFile)).toBe(text);
    },
  );

  test('keep Slipway from starting a K3s that has not joined yet', async () => {
    const machine = vm('server');
    machine.host.files.write(
      '/etc/systemd/system/k3s.service',
      installersUnit('--cluster-cidr=10.99.0.0/16').replace('agent', 'server'),
    );
    const report = await live(machine.slipway(), machine, 30 * minute);
    expect(condition(report, 'Ready')).toBe('False UnitAdopted');
    expect(machine.units.starts).toBe(0);
  });
});
