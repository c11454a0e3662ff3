import { expect, test } from 'vitest';
import { readJwt } from '../../src/agent/clouds/jwt.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';

const minute = 60_000;
const hour = 60 * minute;

/** Returns the minutes until the credential in registries.yaml expires. */
function left({ host }: Vm): number {
  const [, jwt = ''] =
    /"password": "([^"]+)"/.exec(host.files.text('/etc/rancher/k3s/registries.yaml') ?? '') ?? [];
  return ((readJwt(jwt)?.expiresAt ?? 0) - host.now()) / minute;
}

test.each([
  ['k3s-role', undefined, 'Role', 'False RoleMissing'],
  ['k3s-role', 'sevrer', 'Role', 'False RoleUnknown'],
  ['k3s-role', 'server', 'Role', 'False RoleChanged'],
  ['k3s-server', '10.0.0.9', 'ServerReachable', 'False ServerChanged'],
  ['k3s-server', undefined, 'ServerReachable', /ServerUnknown$/],
  ['k3s-server', '10.0.0.4 x y', 'Settings', 'False InvalidSettings'],
  ['k3s-version', 'latest', 'Settings', 'False InvalidSettings'],
] as const)(
  'credentials of a running node are still renewed while the tag %s is %s',
  async (tag, value, type, expected) => {
    const { machine, slipway } = await booted('agent');
    machine.cloud.tag(tag, value);
    await live(slipway, machine, 10 * minute);
    machine.host.advance(100 * minute);
    // After these 15 minutes the first credential would have less than an hour left.
    const report = await live(slipway, machine, 15 * minute);
    expect(condition(report, type)).toMatch(expected);
    expect(left(machine)).toBeGreaterThan(60);
    expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(true);
    expect(machine.units.starts).toBe(1);
  },
);

test.each([
  ['k3s-server', '10.0.0.9'],
  ['k3s-server', undefined],
])('a stopped K3s is started again while the tag %s is %s', async (tag, value) => {
  const { machine, slipway } = await booted('agent');
  machine.cloud.tag(tag, value);
  await machine.units.systemctl(['stop', '--no-block', 'k3s-agent.service']);
  await live(slipway, machine, 10 * minute);
  expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(true);
});

test('an invalid k3s-version tag causes no upgrade', async () => {
  const { machine } = await booted('server', `${noRestarts}k3s: { upgrade: auto }`);
  machine.host.files.write('/etc/slipway/config.d/version.yaml', 'k3s: { version: v1.37.0+k3s1 }');
  machine.cloud.tag('k3s-version', 'v1.36.3');
  const report = await live(machine.slipway(), machine, hour);
  expect(condition(report, 'Settings')).toBe('False InvalidSettings');
  expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.36.3+k3s1');
  expect(machine.units.starts).toBe(1);
});

test('a first boot waits for a valid k3s-version tag', async () => {
  const machine = vm('server');
  machine.cloud.tag('k3s-version', '1.36.4+k3s1');
  const slipway = machine.slipway();
  expect(condition(await live(slipway, machine, minute), 'Settings')).toBe('False InvalidSettings');
  expect(machine.host.journal).toEqual([]);
  machine.cloud.tag('k3s-version', 'v1.36.4+k3s1');
  expect(isReady(await live(slipway, machine, 15 * minute, isReady))).toBe(true);
  expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.36.4+k3s1');
});

test.each([undefined, '10.0.0.9'])(
  'an agent with consent.serverChange keeps its working server while the tag k3s-server is %s',
  async (tag) => {
    const { machine, slipway } = await booted('agent', `${noRestarts}consent: { serverChange: true }`);
    machine.host.onGet('https://10.0.0.9:6443/ping', new NodeError('Unreachable', 'Nothing answers.'));
    machine.cloud.tag('k3s-server', tag);
    await machine.units.systemctl(['stop', '--no-block', 'k3s-agent.service']);
    const report = await live(slipway, machine, 10 * minute);
    expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain(
      'server: "https://10.0.0.4:6443"',
    );
    expect(machine.units.isActive(/^k3s-agent/)).toBe(true);
    expect(condition(report, 'Ready')).toMatch(/^True/);
  },
);

test('the condition Ready says that K3s keeps running unwatched while the role is unknown', async () => {
  const { machine } = await booted('agent');
  machine.cloud.tag('k3s-role', undefined);
  const report = await live(machine.slipway(), machine, 60_000);
  expect(condition(report, 'Role')).toBe('Unknown RoleMissing');
  expect(report.conditions[0]?.message).toMatch(
    /Meanwhile k3s-agent\.service runs on, .* neither watched nor restarted\.$/,
  );
  expect(machine.units.isActive(/^k3s-agent/)).toBe(true);
});

test('unchanged settings and tags are the same objects as in the previous pass', async () => {
  const { machine, slipway } = await booted('agent');
  const before = await slipway.pass();
  const { files, tagged } = (await slipway.pass()).knowledge;
  expect(files.value).toBe(before.knowledge.files.value);
  expect(tagged.value?.loaded).toBe(before.knowledge.tagged.value?.loaded);
  machine.cloud.tag('k3s-version', 'v9.9.9+k3s1');
  expect((await slipway.pass()).knowledge.tagged.value?.loaded.settings.k3s.version).toBe('v9.9.9+k3s1');
});
