import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Agent, Report } from '../../src/agent/agent.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { readTurn } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { agentLeaves, serverLeaves } from '../lab/standins/k3s-leaves.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from '../scenario/a-vm.ts';
import { annotationsOf } from '../scenario/cluster.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const data = '/var/lib/rancher/k3s';
const leaf = 'server/tls/client-admin.crt';

/** Returns the ends of the leaf certificates on the disk of a node. */
function ends({ host }: Vm): readonly number[] {
  return [...serverLeaves, ...agentLeaves]
    .map(([path]) => host.files.text(`${data}/${path}`))
    .filter((pem) => pem !== undefined)
    .map((pem) => new X509Certificate(pem).validToDate.getTime());
}

function daysLeft(machine: Vm): number {
  return (Math.min(...ends(machine)) - machine.host.now()) / day;
}

/** Lets days pass, with two minutes of passes after each leap of `leap` days. */
async function leaping(slipway: Agent, machine: Vm, days: number, leap: number): Promise<Report> {
  const end = machine.host.now() + days * day;
  for (;;) {
    await machine.host.sleep(Math.min(leap * day, end - machine.host.now()));
    const report = await live(slipway, machine, 2 * minute);
    if (machine.host.now() >= end) {
      return report;
    }
  }
}

/** Boots a node whose K3s issues leaf certificates with a life of `days` days. */
async function bootedWith(role: string, days: number): Promise<{ machine: Vm; slipway: Agent }> {
  const machine = vm(role, noRestarts);
  machine.certificates.days = days;
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  return { machine, slipway };
}

describe.each(['server', 'agent'])('a node with the role %s', (role) => {
  test('restarts K3s once, 120 days before the first leaf certificate ends, and reports the new ones', async () => {
    const { machine, slipway } = await booted(role, noRestarts);
    await leaping(slipway, machine, 244, 122);
    expect(machine.units.starts).toBe(1);
    const report = await leaping(slipway, machine, 2, 1);
    expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'True InSync']);
    expect(condition(report, 'Ready')).toBe('True InSync');
    expect(daysLeft(machine)).toBeGreaterThan(362);
    expect(report.certificates.filter(({ kind }) => kind === 'leaf')).toHaveLength(
      role === 'server' ? 17 : 4,
    );
  });

  test.each([120, 30])(
    'renews leaf certificates with a life of %i days in their last third',
    async (days) => {
      const { machine, slipway } = await bootedWith(role, days);
      await leaping(slipway, machine, (days * 2) / 3 - 2, days);
      expect(machine.units.starts).toBe(1);
      await leaping(slipway, machine, 3, 1);
      expect(machine.units.starts).toBe(2);
      expect(daysLeft(machine)).toBeGreaterThan(days - 4);
    },
  );

  test('restarts K3s at once if certificates have ended while the daemon was off', async () => {
    const { machine } = await booted(role, noRestarts);
    await machine.host.sleep(400 * day);
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'True InSync']);
    expect(daysLeft(machine)).toBeGreaterThan(364);
  });

  test('renews the certificates with one restart, even after a crash before any mutation of the renewal', async () => {
    for (let mutation = 1; ; mutation += 1) {
      const { machine, slipway } = await booted(role, noRestarts);
      await leaping(slipway, machine, 244, 244);
      machine.host.restart().crashBefore(mutation);
      machine.host.advance(2 * day);
      await live(slipway, machine, 10 * minute).catch(() => undefined);
      const hasCrashed = machine.host.crashed;
      machine.host.restart();
      const report = await live(machine.slipway(), machine, 10 * minute);
      expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'True InSync']);
      if (!hasCrashed) {
        expect(mutation).toBeGreaterThan(1);
        break;
      }
    }
  });

  test('does not restart K3s for its certificates after a restart for another reason', async () => {
    const { machine, slipway } = await booted(role, noRestarts);
    await leaping(slipway, machine, 240, 240);
    await machine.host.sleep(6 * day);
    await machine.reboot();
    const report = await leaping(slipway, machine, 30, 10);
    expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'True InSync']);
  });
});

test('a leaf certificate that a restart does not renew causes one restart, and then a condition', async () => {
  const { machine, slipway } = await booted('server', noRestarts);
  machine.certificates.stuck = [leaf];
  const report = await leaping(slipway, machine, 380, 20);
  expect(machine.units.starts).toBe(2);
  expect(condition(report, 'Certificates')).toBe('False CertificateNotRenewed');
  expect(condition(report, 'Ready')).toBe('True CertificateNotRenewed');
  machine.certificates.stuck = [];
  await machine.units.systemctl(['restart', '--no-block', 'k3s.service']);
  const after = await live(slipway, machine, 10 * minute);
  expect(condition(after, 'Certificates')).toBe('True InSync');
});

test('a K3s whose executable is lost is not restarted for its certificates until the executable is back', async () => {
  const { machine, slipway } = await booted('server', noRestarts);
  machine.host.failWrite('/usr/local/bin/k3s', 'ENOSPC');
  machine.host.files.remove('/usr/local/bin/k3s');
  await leaping(slipway, machine, 250, 125);
  expect(machine.units.starts).toBe(1);
  machine.host.heal('/usr/local/bin/k3s');
  const report = await leaping(slipway, machine, 1, 1);
  expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'True InSync']);
});

test('a damaged file is reported, and the other certificates are renewed all the same', async () => {
  const { machine, slipway } = await booted('server', noRestarts);
  machine.host.files.write(`${data}/${leaf}`, 'x');
  const before = await live(slipway, machine, 10 * minute);
  expect(condition(before, 'Certificates')).toBe('False CertificateDamaged');
  await leaping(slipway, machine, 250, 125);
  const report = await live(slipway, machine, 10 * minute);
  expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([2, 'False CertificateDamaged']);
});

test('a clock that is behind is reported, and does not restart K3s', async () => {
  const { machine, slipway } = await booted('agent', noRestarts);
  machine.host.setClock(machine.host.now() - 2 * day);
  const report = await live(slipway, machine, minute);
  expect(condition(report, 'Certificates')).toBe('False CertificateNotYetValid');
  machine.host.setClock(machine.host.now() + 2 * day);
  const after = await live(slipway, machine, 11 * minute);
  expect([machine.units.starts, condition(after, 'Certificates')]).toEqual([1, 'True InSync']);
});

test('a drop-in that would change K3s at its next start holds back the renewal', async () => {
  const { machine, slipway } = await booted('server', noRestarts);
  machine.host.files.write('/etc/rancher/k3s/config.yaml.d/mine.yaml', 'node-name: other\n');
  const report = await leaping(slipway, machine, 250, 125);
  expect([machine.units.starts, condition(report, 'Certificates')]).toEqual([1, 'False K3sOverridden']);
});

test('a dry run shows the restart, and makes none', async () => {
  const { machine } = await booted('agent', noRestarts);
  await machine.host.sleep(250 * day);
  const { length } = machine.host.journal;
  const report = await machine.slipway(recordingHost).pass();
  const found = report.outcomes.find(({ resource }) => resource.id === 'Certificates/k3s');
  expect(found?.state).toBe('Recorded');
  expect(machine.host.journal).toHaveLength(length);
});

test('a reboot that waits for its window does not delay the renewal in the last 30 days', async () => {
  const shut = 'maintenance: { reboot: auto, windows: [{ days: [], from: "01:00", to: "05:00" }] }\n';
  const { machine, slipway } = await booted('agent', `${noRestarts}${shut}`);
  machine.host.files.write(nodePaths('/').system.rebootRequired, '');
  await leaping(slipway, machine, 334, 111);
  expect(machine.units.starts).toBe(1);
  await leaping(slipway, machine, 3, 1);
  expect([machine.units.starts, machine.units.orders]).toEqual([2, 0]);
  expect(daysLeft(machine)).toBeGreaterThan(362);
  const { request } = readTurn(annotationsOf(machine, 'agent-1'));
  expect(request).toMatchObject({ wish: 'reboot', closed: true });
});
