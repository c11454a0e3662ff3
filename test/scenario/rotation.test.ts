import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Report } from '../../src/agent/agent.ts';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import type { MemoryHost } from '../lab/memory-host.ts';
import { booted, condition, isReady, live, registry, type Vm, vm } from './a-vm.ts';

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
  return ((readJwt(password(host))?.expiresAt ?? 0) - host.now()) / 1_000;
}

function running({ conditions }: Report): string | undefined {
  return conditions.find(({ type }) => type === 'K3sRunning')?.message;
}

const ownMirror = `mirrors: { docker.io: { endpoint: ["https://${registry}"] } }`;
const why = `docker.io is mirrored by ${registry}`;

test('credentials are rotated every two hours, without a restart of K3s', async () => {
  const { machine, slipway } = await booted('agent');
  await live(slipway, machine, 6 * hour);
  expect(rotations(machine.cloud.calls)).toBe(1 + 3);
  expect(machine.units.starts).toBe(1);
});

test('the daemon wakes when a credential is due, not at the next check for drift', async () => {
  const { machine, slipway } = await booted('agent');
  const { credentials } = await slipway.pass();
  const due = credentials[0]?.due ?? Number.NaN;
  machine.host.advance(due - 2 * minute - machine.host.now());
  const { wake } = await live(slipway, machine, 0);
  expect(wake).toEqual({ at: due, because: 'renew Credential/registries' });
});

describe('rotations every two hours', () => {
  const rounds = 6;

  test.each([
    ['default onRotate', '', 1, /^K3s runs$/],
    ['onRotate: auto', 'onRotate: auto', 1, /^K3s runs$/],
    ['onRotate: restart', 'onRotate: restart', 1 + rounds, /^K3s runs$/],
    [
      'onRotate: auto, with a mirror that is a login server',
      `onRotate: auto, ${ownMirror}`,
      1 + rounds,
      new RegExp(`^K3s runs; restarted at each rotation, because ${why}$`),
    ],
    [
      'default onRotate, with a mirror that is a login server',
      ownMirror,
      1,
      new RegExp(`keeps the registry logins of its start for pulls that get none from kubelet: ${why}; set`),
    ],
  ])(
    'restart K3s only as onRotate requires: %s',
    async (_name, settings, starts, message) => {
      const { machine, slipway } = await booted('agent', `registries: { ${settings} }`);
      let report = await slipway.pass();
      for (let rotation = 0; rotation < rounds; rotation += 1) {
        machine.host.advance(110 * minute);
        report = await live(slipway, machine, 10 * minute);
      }
      expect(rotations(machine.cloud.calls)).toBe(1 + rounds);
      expect(machine.units.starts).toBe(starts);
      expect(running(report)).toMatch(message);
    },
    120_000,
  );
});

test("the expiry of a mirror's login is reported from an hour before the expiry until K3s restarts", async () => {
  const { machine, slipway } = await booted('agent', `registries: { ${ownMirror} }`);
  const pulls = (report: Report) => report.conditions.find(({ type }) => type === 'Pulls');
  expect(pulls(await live(slipway, machine, 118 * minute))?.status).toBe('True');
  const before = pulls(await live(slipway, machine, 3 * minute));
  expect(before).toMatchObject({ status: 'False', reason: 'ContainerdLoginEnds' });
  expect(before?.message).toMatch(/started ends at .*will fail.*docker\.io is mirrored.*restart k3s-agent/);
  const report = await live(slipway, machine, hour);
  expect(pulls(report)?.message).toMatch(/ended at .* fail since/);
  expect(condition(report, 'Ready')).toBe('True ContainerdLoginEnds');
  await machine.host.run({ file: 'systemctl', args: ['restart', '--no-block', 'k3s-agent.service'] });
  expect(pulls(await live(slipway, machine, 5 * minute))?.status).toBe('True');
});

test('a credential with a shorter life is rotated earlier', async () => {
  const machine = vm('agent');
  machine.cloud.tokenLifetime = 30 * minute;
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  const first = password(machine.host);
  await live(slipway, machine, 15 * minute);
  expect(password(machine.host)).toBe(first);
  await live(slipway, machine, 6 * minute);
  expect(password(machine.host)).not.toBe(first);
});

test('a registry outage that lasts hours is reported and restarts nothing, and a new credential follows within 75 s of its end', async () => {
  const { machine, slipway } = await booted('agent');
  machine.cloud.fail(
    'registryPassword',
    new NodeError('RegistryUnavailable', 'team.azurecr.io answers 503.'),
  );
  machine.host.advance(2 * hour - 5 * minute);
  await live(slipway, machine, 15 * minute);
  machine.host.advance(100 * minute);
  const during = await live(slipway, machine, 15 * minute);
  expect(condition(during, 'Registries')).toBe('False RegistryUnavailable');
  expect(condition(during, 'Ready')).toBe('True RegistryUnavailable');
  expect(machine.units.starts).toBe(1);
  machine.cloud.heal();
  const after = await live(slipway, machine, 75_000);
  expect(condition(after, 'Registries')).toMatch(/^True/);
  expect(secondsLeft(machine.host)).toBeGreaterThan(2.9 * 3_600);
});

test('a VM that was off for a day has a renewed credential after the first pass', async () => {
  const { machine } = await booted('agent');
  machine.host.advance(day);
  await machine.reboot();
  await machine.slipway().pass();
  expect(secondsLeft(machine.host)).toBeGreaterThan(2.9 * 3_600);
});

test.each([
  ['ahead', hour],
  ['behind', -hour],
])('a registry clock that is an hour %s causes no extra rotation', async (_, skew) => {
  const machine = vm('agent');
  machine.cloud.clockSkew = skew;
  const slipway = machine.slipway();
  await live(slipway, machine, minute, isReady);
  await live(slipway, machine, 5 * hour);
  expect(rotations(machine.cloud.calls)).toBe(1 + 2);
});

function configure({ host }: Vm, registries: string): void {
  host.files.write('/etc/slipway/config.d/later.yaml', `registries: ${registries}`);
}

describe.each(['never', 'auto', 'restart'])('the daemon with onRotate: %s', (onRotate) => {
  test('restarts K3s exactly once for each edit of a mirror', async () => {
    const { machine, slipway } = await booted('agent', `registries: { onRotate: ${onRotate} }`);
    configure(machine, '{ mirrors: { docker.io: { endpoint: ["https://mirror.example"] } } }');
    await live(slipway, machine, 50 * minute);
    expect(machine.units.starts).toBe(2);
    configure(machine, '{ mirrors: { docker.io: { endpoint: ["https://other.example"] } } }');
    await live(slipway, machine, 50 * minute);
    expect(machine.units.starts).toBe(3);
  });
});

test.each([
  ['never', ''],
  ['auto', ''],
  ['never', `, ${ownMirror}`],
])(
  'a login edited by hand is restored without a restart of K3s: onRotate: %s%s',
  async (onRotate, mirrors) => {
    const { machine, slipway } = await booted('agent', `registries: { onRotate: ${onRotate}${mirrors} }`);
    const edited = (machine.host.files.text(file) ?? '').replace(/"?password"?: .*/, 'password: "by-hand"');
    machine.host.files.write(file, edited, 0o600);
    expect(password(machine.host)).toBe('by-hand');
    await live(slipway, machine, 10 * minute);
    expect(password(machine.host)).not.toBe('by-hand');
    expect(machine.units.starts).toBe(1);
  },
);

test.each([
  ['never', 1, /a login that only containerd has was changed/],
  ['auto', 2, /^K3s runs$/],
  ['restart', 2, /^K3s runs$/],
])(
  'a change of a login that kubelet does not have restarts K3s unless onRotate is never: onRotate %s',
  async (onRotate, starts, message) => {
    const login = (password: string) =>
      `{ configs: { docker.io: { auth: { username: u, password: ${password} } } } }`;
    const machine = vm('agent', `registries: { onRotate: ${onRotate} }`);
    configure(machine, login('one'));
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    configure(machine, login('two'));
    const report = await live(slipway, machine, 50 * minute);
    expect(machine.units.starts).toBe(starts);
    expect(running(report)).toMatch(message);
  },
);

test('a mirror on a foreign host for a login server takes effect only with consent', async () => {
  const { machine, slipway } = await booted('agent');
  configure(machine, `{ mirrors: { ${registry}: { endpoint: ["https://mirror.example"] } } }`);
  const refused = await live(slipway, machine, 10 * minute);
  expect(condition(refused, 'Settings')).toBe('False InvalidSettings');
  expect(machine.host.files.text(file)).not.toContain('mirror.example');
  expect(machine.units.starts).toBe(1);
  machine.host.files.write('/etc/slipway/config.d/consent.yaml', 'consent: { foreignMirrors: true }');
  await live(slipway, machine, 10 * minute);
  expect(machine.host.files.text(file)).toContain('mirror.example');
  expect(machine.units.starts).toBe(2);
});

test('a credential that would expire before the next pass is renewed in each pass', async () => {
  const { machine, slipway } = await booted('agent', '');
  machine.cloud.tokenLifetime = 12_000;
  machine.host.advance(3 * hour);
  await slipway.pass();
  const before = rotations(machine.cloud.calls);
  for (let pass = 0; pass < 12; pass += 1) {
    machine.host.advance(11_000);
    const report = await slipway.pass();
    expect(condition(report, 'Registries')).toBe('True Changed');
  }
  expect(rotations(machine.cloud.calls)).toBe(before + 12);
});
