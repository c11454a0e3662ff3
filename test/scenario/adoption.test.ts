import { describe, expect, test } from 'vitest';
import { lineOf } from '../../src/agent/log.ts';
import { isReady, live, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const [timer, service] = ['refresh-acr-credentials.timer', 'refresh-acr-credentials.service'];
const stopping = `systemctl disable --now ${timer}`;

/** A node that the older scripts made: their timer is there and runs. */
function madeByScripts(extra?: string): Vm {
  const machine = vm('agent', extra);
  machine.units.found(timer, '[Timer]\nOnUnitActiveSec=2h\n');
  machine.host.files.write(`/etc/systemd/system/${service}`, '[Service]\nType=oneshot\n');
  return machine;
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

describe('a node made by the older scripts', () => {
  test('its timer is stopped once, before registries.yaml is written, with one line in the log', async () => {
    const machine = madeByScripts();
    const slipway = machine.slipway();
    const report = await live(slipway, machine, minute, isReady);
    await live(slipway, machine, 30 * minute);
    expect(report.outcomes.filter(({ state }) => state !== 'InSync')).toEqual([]);
    expect(stops(machine)).toEqual([`run ${stopping}`]);
    const lines = machine.host.lines();
    const written = lines.findIndex((line) => line.startsWith('write /etc/rancher/k3s/registries.yaml'));
    expect(lines.indexOf(`run ${stopping}`)).toBeLessThan(written);
    expect(adoption(machine)).toEqual([`stop ${timer}: Slipway renews registries.yaml on this node`]);
  });

  test('its files stay', async () => {
    const machine = madeByScripts();
    await live(machine.slipway(), machine, minute, isReady);
    expect(machine.host.files.text(`/etc/systemd/system/${timer}`)).toContain('OnUnitActiveSec=2h');
    expect(machine.host.files.text(`/etc/systemd/system/${service}`)).toContain('oneshot');
  });

  test('a service that is just renewing is stopped with its timer', async () => {
    const machine = madeByScripts();
    machine.units.found(service, '[Service]\nType=oneshot\n');
    await live(machine.slipway(), machine, minute, isReady);
    expect(stops(machine)).toEqual([`run ${stopping} ${service}`]);
  });

  test('the timer is left alone where the settings name no registry', async () => {
    const machine = madeByScripts('registries: { servers: [] }\n');
    await live(machine.slipway(), machine, minute, isReady);
    expect(stops(machine)).toEqual([]);
  });
});

test('without the timer nothing is done, at the cost of one look in a pass', async () => {
  const machine = vm('agent');
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  const { length } = machine.host.looks;
  await slipway.pass();
  const looks = machine.host.looks.slice(length).filter((look) => look.includes('refresh-acr-credentials'));
  expect(looks).toHaveLength(1);
  expect(stops(machine)).toEqual([]);
});
