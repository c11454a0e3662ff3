import { describe, expect, test } from 'vitest';
import { booted, condition, isReady, live, noRestarts, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;
const extra = '/etc/slipway/config.d/extra.yaml';
const binary = '/usr/local/bin/k3s';
const trace = '/run/slipway/k3s-download.json';
const upgrade = `${noRestarts}k3s: { version: v1.36.4+k3s1, upgrade: auto }\n`;

describe('the first download of K3s', () => {
  test('is reported while resources that do not need K3s converge', async () => {
    const machine = vm('server');
    machine.host.jobs.lasting = 10 * minute;
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 9 * minute);
    expect(condition(report, 'K3sBinary')).toBe('Unknown InProgress');
    expect(condition(report, 'JoinToken')).toBe('True InSync');
    expect(condition(report, 'Registries')).toBe('True InSync');
    expect(report.conditions[0]).toMatchObject({
      ...{ status: 'Unknown', reason: 'InProgress' },
      message: `download K3s v1.36.3+k3s1 to ${binary}, since 2026-01-01T00:00:00Z`,
    });
    expect(machine.units.starts).toBe(0);
    await live(slipway, machine, 2 * minute, isReady);
    expect(machine.units.starts).toBe(1);
  });

  test('starts over after a reboot', async () => {
    const machine = vm('agent');
    machine.host.jobs.lasting = 10 * minute;
    await live(machine.slipway(), machine, minute);
    expect(machine.host.files.stat(trace)).toBeDefined();
    await machine.reboot();
    const report = await live(machine.slipway(), machine, 12 * minute, isReady);
    expect(isReady(report)).toBe(true);
    expect(machine.host.files.stat(trace)).toBeUndefined();
  });
});

describe('the download of a K3s upgrade', () => {
  test('keeps the node Ready, with renewed credentials', async () => {
    const { machine, slipway } = await booted('server');
    machine.host.jobs.lasting = 2.5 * hour;
    machine.host.files.write(extra, upgrade);
    const before = machine.host.files.text('/etc/rancher/k3s/registries.yaml');
    const unready: string[] = [];
    const report = await live(slipway, machine, 2.2 * hour, ({ conditions }) => {
      if (conditions[0]?.status !== 'True') {
        unready.push(`${conditions[0]?.reason}`);
      }
      return false;
    });
    expect(unready).toEqual([]);
    expect(condition(report, 'K3sBinary')).toBe('Unknown InProgress');
    expect(machine.host.files.text('/etc/rancher/k3s/registries.yaml')).not.toBe(before);
    expect([machine.host.files.text(binary), machine.units.starts]).toEqual(['k3s v1.36.3+k3s1', 1]);
    await live(slipway, machine, hour);
    expect([machine.host.files.text(binary), machine.units.starts]).toEqual(['k3s v1.36.4+k3s1', 2]);
  });

  test('is not installed if the upgrade is no longer allowed', async () => {
    const { machine, slipway } = await booted('server');
    machine.host.jobs.lasting = 10 * minute;
    machine.host.files.write(extra, upgrade);
    await live(slipway, machine, 6 * minute);
    machine.host.files.write(extra, upgrade.replace('auto', 'manual'));
    const report = await live(slipway, machine, 30 * minute);
    expect(condition(report, 'K3sBinary')).toBe('False VersionDrift');
    expect([machine.host.files.text(binary), machine.units.starts]).toEqual(['k3s v1.36.3+k3s1', 1]);
  });
});
