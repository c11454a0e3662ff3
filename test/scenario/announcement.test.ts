import { describe, expect, test } from 'vitest';
import { type Agent, run } from '../../src/agent/agent.ts';
import { alarm } from '../../src/agent/alarm.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { announcer } from '../../src/agent/report/announce.ts';
import { namesOf, roles } from '../../src/roles/index.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';
import { annotationsOf, eventsOf } from './cluster.ts';

const minute = 60_000;
const hour = 60 * minute;

/** Starts a Slipway process on this VM that announces the result of each pass to the cluster, as the daemon does. */
function telling(machine: Vm, version = '1.2.3'): Agent {
  const slipway = machine.slipway();
  const emit = machine.events.push.bind(machine.events);
  const announce = announcer({ host: machine.host, version, emit: (event) => emit(event) });
  return {
    ...slipway,
    async pass() {
      const report = await slipway.pass();
      await announce(report);
      return report;
    },
  };
}

function lines(machine: Vm): readonly string[] {
  return eventsOf(machine).map(({ type, reason }) => `${type} ${reason}`);
}

/** Returns the requests that changed annotations or created events. */
function told({ host }: Vm): readonly string[] {
  return host.lines().filter((line) => /(PATCH|POST) .*\/(nodes|events)/.test(line));
}

function warnings({ events }: Vm): readonly string[] {
  return events.flatMap((event) => (event.type === 'Warned' ? [event.message] : []));
}

describe.each(namesOf(roles))('a node with the role %s', (role) => {
  const name = `${role}-1`;

  test('announces its role and its state once, at the first boot', async () => {
    const machine = vm(role);
    await live(telling(machine), machine, hour);
    expect(eventsOf(machine)).toEqual([
      expect.objectContaining({
        ...{ type: 'Normal', reason: 'RoleTaken' },
        message: expect.stringMatching(new RegExp(`^${role}: .* \\(slipway 1\\.2\\.3\\)$`)),
        involvedObject: { apiVersion: 'v1', kind: 'Node', name, uid: name },
      }),
    ]);
    expect(annotationsOf(machine, name)).toEqual({
      'slipway.dev/version': '1.2.3',
      'slipway.dev/role': role,
      'slipway.dev/ready': 'True',
      'slipway.dev/reason': 'InSync',
      'slipway.dev/failing': '',
      'slipway.dev/vm-id': '02aab8a4-74ef-476e-8182-f6d2ba4166a6',
    });
    expect(warnings(machine)).toEqual([]);
  });

  test('announces nothing after a restart or reboot, and only the version after an update of Slipway', async () => {
    const machine = vm(role);
    await live(telling(machine), machine, 10 * minute);
    const { length } = told(machine);
    await live(telling(machine), machine, 10 * minute);
    await machine.reboot();
    await live(telling(machine), machine, hour);
    expect(told(machine)).toHaveLength(length);
    await live(telling(machine, '1.3.0'), machine, 10 * minute);
    expect(told(machine)).toHaveLength(length + 1);
    expect(annotationsOf(machine, name)['slipway.dev/version']).toBe('1.3.0');
    expect(lines(machine)).toEqual(['Normal RoleTaken']);
  });
});

test('a failing rotation creates one event, even across restarts of Slipway, and its recovery creates another', async () => {
  const machine = vm('agent', noRestarts);
  const slipway = telling(machine);
  await live(slipway, machine, minute, isReady);
  machine.host.advance(110 * minute);
  const away = new NodeError('RegistryUnavailable', 'team.azurecr.io answers 503.');
  machine.cloud.fail('registryPassword', away);
  await live(slipway, machine, 40 * minute);
  expect(lines(machine).slice(1)).toEqual(['Warning RegistryUnavailable']);
  expect(eventsOf(machine).at(-1)?.message).toMatch(/^Registries: team\.azurecr\.io answers 503\./);
  expect(annotationsOf(machine, 'agent-1')).toMatchObject({
    'slipway.dev/ready': 'True',
    'slipway.dev/reason': 'RegistryUnavailable',
    'slipway.dev/failing': 'Registries=RegistryUnavailable',
  });
  for (const time of [minute, minute, 10 * minute]) {
    await live(telling(machine), machine, time);
    expect(lines(machine).slice(1)).toEqual(['Warning RegistryUnavailable']);
    expect(annotationsOf(machine, 'agent-1')['slipway.dev/failing']).toBe('Registries=RegistryUnavailable');
  }
  const again = telling(machine);
  machine.cloud.heal();
  await live(again, machine, 10 * minute);
  expect(lines(machine).slice(1)).toEqual(['Warning RegistryUnavailable', 'Normal InSync']);
  expect(annotationsOf(machine, 'agent-1')['slipway.dev/failing']).toBe('');
});

test('successful rotations are not announced', async () => {
  const machine = vm('agent', noRestarts);
  const slipway = telling(machine);
  await live(slipway, machine, minute, isReady);
  const { length } = told(machine);
  await live(slipway, machine, 5 * hour);
  expect(told(machine)).toHaveLength(length);
});

test('a version drift and a refused change of role create events, and the node stays Ready', async () => {
  const machine = vm('server', noRestarts);
  const slipway = telling(machine);
  await live(slipway, machine, minute, isReady);
  machine.cloud.tag('k3s-version', 'v1.37.0+k3s1');
  await live(slipway, machine, 6 * minute);
  machine.cloud.tag('k3s-role', 'agent');
  machine.cloud.tag('k3s-server', '10.0.0.4');
  await live(slipway, machine, 6 * minute);
  expect(lines(machine).slice(1)).toEqual(['Warning VersionDrift', 'Warning RoleChanged']);
  expect(annotationsOf(machine, 'server-1')).toMatchObject({
    'slipway.dev/role': 'server',
    'slipway.dev/ready': 'True',
    'slipway.dev/reason': 'RoleChanged',
  });
});

describe('with the API server down', () => {
  test('passes continue without warnings, and the current state is announced once the API server is back', async () => {
    const machine = vm('agent', noRestarts);
    const slipway = telling(machine);
    await live(slipway, machine, minute, isReady);
    let away = true;
    const { isUp } = machine.kubernetes;
    machine.kubernetes.isUp = () => isUp() && !away;
    machine.cloud.tag('k3s-version', 'v1.37.0+k3s1');
    const { length } = told(machine);
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'K3sBinary')).toBe('False VersionDrift');
    expect(told(machine)).toHaveLength(length);
    expect(warnings(machine)).toEqual([]);
    away = false;
    await live(slipway, machine, 6 * minute);
    expect(lines(machine).slice(1)).toEqual(['Warning VersionDrift']);
  });

  test('the daemon does not wait for an announcement that hangs', async () => {
    const { machine } = await booted('agent');
    const emit = () => {};
    const announce = announcer({ host: machine.host, version: '1.2.3', emit });
    const stopped = new AbortController();
    machine.host.onRequest({ method: 'PATCH', url: /\/nodes\// }, () => new Promise(() => {}));
    let passes = 0;
    await run(machine.slipway(), {
      ...{ host: machine.host, alarm: alarm(), signal: stopped.signal, emit },
      publish: async (report) => {
        void announce(report);
        passes += 1;
        if (passes === 30) {
          stopped.abort();
        }
      },
    });
    expect(passes).toBe(30);
  });
});

test('k3s.announce: false stops announcements and keeps earlier announcements', async () => {
  const { machine } = await booted('agent');
  await live(telling(machine), machine, 10 * minute);
  machine.host.files.write('/etc/slipway/config.d/quiet.yaml', 'k3s: { announce: false }');
  machine.cloud.fail('registryPassword', new NodeError('RegistryUnavailable', 'no'));
  const before = annotationsOf(machine, 'agent-1');
  const { length } = told(machine);
  machine.host.advance(110 * minute);
  const report = await live(telling(machine), machine, 30 * minute);
  expect(condition(report, 'Registries')).toBe('False RegistryUnavailable');
  expect(told(machine)).toHaveLength(length);
  expect(annotationsOf(machine, 'agent-1')).toEqual(before);
});
