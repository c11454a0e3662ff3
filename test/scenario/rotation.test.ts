import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { NodeError } from '../../src/agent/core/errors.ts';
import { jwtTimes } from '../../src/agent/core/jwt.ts';
import { reconcile } from '../../src/agent/core/reconcile.ts';
import { registries } from '../../src/agent/k3s/registries.ts';
import { FakeCloud } from '../lab/fake-cloud.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/k3s/a-node.ts';
import { booted, condition, isReady, live, noRestarts, registry, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const file = '/etc/rancher/k3s/registries.yaml';

function rotations(calls: readonly string[]): number {
  return calls.filter((call) => call.startsWith('registryPassword')).length;
}

function password(host: MemoryHost): string {
  return parse(host.files.text(file) ?? '').configs[registry].auth.password;
}

function secondsLeft(host: MemoryHost): number {
  return ((jwtTimes(password(host))?.expiresAt ?? 0) - host.now()) / 1_000;
}

test('a day of five-minute passes: rotated every two hours, and K3s is never restarted for it', async () => {
  const { machine, slipway } = await booted('agent');
  await live(slipway, machine, day);
  expect(rotations(machine.cloud.calls)).toBe(1 + 12);
  expect(machine.units.starts).toBe(1);
});

test('a year of rotations, looked at whenever one is due: the credential never nears its end', async () => {
  const host = memoryHost();
  const cloud = new FakeCloud({ registries: [registry], clock: host });
  const node = aNode('agent', { settings: { registries: { servers: [registry] } } });
  const plan = registries(
    node,
    { cloud, rotateAt: (after) => (Math.floor(after / (2 * hour)) + 1) * 2 * hour },
    [],
  );
  const attempts = new Map();
  const end = host.now() + 365 * day;
  let least = Number.POSITIVE_INFINITY;
  while (host.now() < end) {
    const [outcome] = await reconcile(plan, { host, attempts, random: () => 0.5 });
    if (outcome?.state === 'InSync') await host.sleep((outcome.until ?? end) - host.now());
    least = Math.min(least, secondsLeft(host));
  }
  expect(rotations(cloud.calls)).toBe(365 * 12);
  expect(least).toBe(3_600);
}, 120_000);

test('with onRotate: restart each rotation restarts K3s once', async () => {
  const { machine, slipway } = await booted('agent', '');
  await live(slipway, machine, day);
  expect(machine.units.starts).toBe(1 + 12);
});

test('a shorter life of the token brings the rotation forward', async () => {
  const machine = vm('agent', noRestarts);
  machine.cloud.tokenLifetime = 30 * minute;
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  const first = password(machine.host);
  await live(slipway, machine, 15 * minute);
  expect(password(machine.host)).toBe(first);
  await live(slipway, machine, 6 * minute);
  expect(password(machine.host)).not.toBe(first);
});

test('a registry that is down for hours: K3s is left alone, the condition tells, and it heals within a minute', async () => {
  const { machine, slipway } = await booted('agent');
  machine.cloud.fail(
    'registryPassword',
    new NodeError('RegistryUnavailable', 'team.azurecr.io answers 503.'),
  );
  const during = await live(slipway, machine, 5 * hour);
  expect(condition(during, 'Registries')).toBe('False RegistryUnavailable');
  expect(condition(during, 'Ready')).toBe('True RegistryUnavailable');
  expect(machine.units.starts).toBe(1);
  machine.cloud.heal();
  const after = await live(slipway, machine, 75_000);
  expect(condition(after, 'Registries')).toMatch(/^True/);
  expect(secondsLeft(machine.host)).toBeGreaterThan(2.9 * 3_600);
});

test('a VM that was off for a day renews before K3s needs it', async () => {
  const { machine } = await booted('agent');
  machine.host.advance(day);
  await machine.reboot();
  await machine.slipway().pass();
  expect(secondsLeft(machine.host)).toBeGreaterThan(2.9 * 3_600);
});

test.each([
  ['forward', hour],
  ['back', -hour],
])('a clock that is an hour %s does no harm', async (_, skew) => {
  const machine = vm('agent', noRestarts);
  machine.cloud.clockSkew = skew;
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  await live(slipway, machine, 10 * hour);
  expect(rotations(machine.cloud.calls)).toBe(6);
});

test('a mirror that is added restarts K3s once; an edited credential is put back without a restart', async () => {
  const { machine, slipway } = await booted('agent');
  machine.host.files.write(
    '/etc/slipway/config.d/mirror.yaml',
    'registries: { mirrors: { docker.io: { endpoint: ["https://mirror.example"] } } }',
  );
  await live(slipway, machine, 10 * minute);
  expect(machine.units.starts).toBe(2);
  const edited = (machine.host.files.text(file) ?? '').replace(/password: .*/, 'password: "by-hand"');
  machine.host.files.write(file, edited, 0o600);
  await live(slipway, machine, 10 * minute);
  expect(password(machine.host)).not.toBe('by-hand');
  expect(machine.units.starts).toBe(2);
});
