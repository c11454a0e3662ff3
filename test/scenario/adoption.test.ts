import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { lineOf } from '../../src/agent/report/log.ts';
import { condition, isReady, live, type Vm, vm } from './a-vm.ts';
import { ca } from './world.ts';

const minute = 60_000;
const [timer, service] = ['refresh-acr-credentials.timer', 'refresh-acr-credentials.service'];
const stopping = `systemctl disable --now ${timer}`;

/** Creates a node that was installed by the scripts that Slipway replaces: their timer is enabled and active. */
function madeByScripts({ settings = '', runs = '/usr/local/bin/refresh-acr-credentials.sh' } = {}): Vm {
  const machine = vm('agent', settings);
  machine.units.found(timer, '[Timer]\nOnUnitActiveSec=2h\n');
  machine.host.files.write(`/etc/systemd/system/${service}`, serviceText(runs));
  return machine;
}

function serviceText(runs: string): string {
  return `[Service]\nType=oneshot\nExecStart=${runs}\n`;
}

function stops({ host }: Vm): readonly string[] {
  return host.lines().filter((line) => line.includes('refresh-acr-credentials'));
}

function adoption({ events }: Vm): readonly unknown[] {
  return events
    .filter((event) => event.type === 'Settled' && event.outcome.resource.id.startsWith('Adoption/'))
    .map((event) => lineOf(event))
    .filter(({ level }) => level !== 'debug')
    .map(({ fields }) => fields.did);
}

describe('a node that the older scripts installed', () => {
  test('loses its timer once, after Slipway writes registries.yaml, and Slipway logs this in one line', async () => {
    const machine = madeByScripts();
    const slipway = machine.slipway();
    const report = await live(slipway, machine, minute, isReady);
    await live(slipway, machine, 30 * minute);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(stops(machine)).toEqual([`run ${stopping}`]);
    const lines = machine.host.lines();
    const written = lines.findIndex((line) => line.startsWith('write /etc/rancher/k3s/registries.yaml'));
    expect(written).toBeGreaterThan(-1);
    expect(lines.indexOf(`run ${stopping}`)).toBeGreaterThan(written);
    expect(adoption(machine)).toEqual([`stop ${timer}: Slipway renews registries.yaml on this node`]);
  });

  test('keeps the files of the timer and its service', async () => {
    const machine = madeByScripts();
    await live(machine.slipway(), machine, minute, isReady);
    expect(machine.host.files.text(`/etc/systemd/system/${timer}`)).toContain('OnUnitActiveSec=2h');
    expect(machine.host.files.text(`/etc/systemd/system/${service}`)).toContain('oneshot');
  });

  test('loses a running renewal service together with the timer', async () => {
    const machine = madeByScripts();
    machine.units.found(service, serviceText('/bin/bash /opt/refresh-acr-credentials'));
    await live(machine.slipway(), machine, minute, isReady);
    expect(stops(machine)).toEqual([`run ${stopping} ${service}`]);
  });

  test('keeps its timer if the settings name no registry', async () => {
    const settings =
      'registries: { servers: [], mirrors: { docker.io: { endpoint: ["https://m.example"] } } }\n';
    const machine = madeByScripts({ settings });
    await live(machine.slipway(), machine, minute, isReady);
    expect(stops(machine)).toEqual([]);
  });

  test('keeps a timer of the same name whose service runs another program', async () => {
    const machine = madeByScripts({ runs: '/usr/local/bin/renew --for refresh-acr-credentials' });
    await live(machine.slipway(), machine, minute, isReady);
    expect(stops(machine)).toEqual([]);
  });

  test('keeps its timer, although it has already joined, until Slipway has a login', async () => {
    const machine = madeByScripts();
    machine.host.files.write(nodePaths('/').k3s.agentServerCa, ca);
    machine.host.files.write('/etc/rancher/k3s/registries.yaml', 'configs: {}\n', 0o600);
    machine.cloud.fail('registryPassword', new NodeError('RegistryUnauthorized', 'It has no role.'));
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 30 * minute);
    expect(stops(machine)).toEqual([]);
    expect(condition(report, 'Registries')).toBe('False RegistryUnauthorized');
    machine.cloud.heal();
    await live(slipway, machine, 30 * minute, isReady);
    expect(stops(machine)).toEqual([`run ${stopping}`]);
  });
});

test('Slipway checks a node without the timer of the older scripts for this timer only once per pass', async () => {
  const machine = vm('agent');
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  const { length } = machine.host.looks;
  await slipway.pass();
  const looks = machine.host.looks.slice(length).filter((look) => look.includes('refresh-acr-credentials'));
  expect(looks).toHaveLength(1);
  expect(stops(machine)).toEqual([]);
});
