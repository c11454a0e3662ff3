import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import { pinnedCa } from '../../src/agent/parts/k3s/membership/ca.ts';
import { hold, release } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { createAuthority } from '../lab/azure/tls.ts';
import { rotated } from '../unit/agent/parts/k3s/membership/certificates.ts';
import { podsOn, putBudget, putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';
import { authority, joinToken } from './world.ts';

const minute = 60_000;
const tokenFile = '/var/lib/slipway/join-token';
const serverCa = '/var/lib/rancher/k3s/agent/server-ca.crt';

function settle(machine: Vm, text: string): void {
  machine.host.files.write('/etc/slipway/config.d/consent.yaml', text);
}

/** Returns the line of settings that the message of a condition suggests for consent; empty if it suggests none. */
function asked({ conditions }: Report, type: string): string {
  const message = conditions.find((each) => each.type === type)?.message ?? '';
  return /add `(consent: .+)` to \/etc\/slipway\/config\.yaml/.exec(message)?.[1] ?? '';
}

test('a server reports a new token in the vault as TokenChanged within two hours, and keeps the old token', async () => {
  const { machine, slipway } = await booted('server');
  machine.cloud.secrets.set('k3s-token', 'another-token-55d1');
  const report = await live(slipway, machine, 125 * minute);
  expect(condition(report, 'JoinToken')).toBe('False TokenChanged');
  expect(condition(report, 'Ready')).toBe('True TokenChanged');
  expect(machine.host.files.text('/var/lib/slipway/join-token')).toBe(`${joinToken}\n`);
  expect(machine.units.starts).toBe(1);
  machine.cloud.secrets.set('k3s-token', joinToken);
  expect(condition(await live(slipway, machine, 15 * minute), 'JoinToken')).toMatch(/^True/);
});

test('the consent that the condition JoinToken suggests covers only one new token', async () => {
  const { machine, slipway } = await booted('server');
  machine.cloud.secrets.set('k3s-token', 'another-token-55d1');
  settle(machine, asked(await live(slipway, machine, 125 * minute), 'JoinToken'));
  expect(condition(await live(slipway, machine, 15 * minute), 'JoinToken')).toMatch(/^True/);
  expect(machine.host.files.text('/var/lib/slipway/join-token')).toBe('another-token-55d1\n');
  machine.cloud.secrets.set('k3s-token', 'third-token-09aa');
  expect(condition(await live(slipway, machine, 125 * minute), 'JoinToken')).toBe('False TokenChanged');
  expect([machine.passwords.rotations, machine.units.starts]).toEqual([1, 2]);
});

test('consent.tokenChange: true is accepted with one warning, and allows no rotation', async () => {
  const { machine, slipway } = await booted('server');
  settle(machine, 'consent: { tokenChange: true }');
  machine.cloud.secrets.set('k3s-token', 'second-token');
  const report = await live(slipway, machine, 125 * minute);
  expect(condition(report, 'JoinToken')).toBe('False TokenChanged');
  expect(machine.passwords.rotations).toBe(0);
  const warnings = machine.events.filter(({ type }) => type === 'Warned');
  expect(warnings).toEqual([
    { type: 'Warned', message: expect.stringContaining('consent.tokenChange: true') },
  ]);
});

describe('a K3s version other than the installed version', () => {
  test('is reported as VersionDrift until the settings allow the upgrade', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.tag('k3s-version', 'v1.37.0+k3s1');
    const held = await live(slipway, machine, 6 * minute);
    expect(condition(held, 'K3sBinary')).toBe('False VersionDrift');
    expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.36.3+k3s1');
    settle(machine, 'k3s: { upgrade: auto }');
    expect(isReady(await live(slipway, machine, 15 * minute, isReady))).toBe(true);
    expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.37.0+k3s1');
    expect(machine.units.starts).toBe(2);
  });

  test.each(['v1.36.2+k3s1', 'v1.38.0+k3s1', 'v1.35.9+k3s1'])(
    'is refused despite k3s.upgrade: auto if it is %s',
    async (version) => {
      const { machine, slipway } = await booted('server');
      settle(machine, 'k3s: { upgrade: auto }');
      machine.cloud.tag('k3s-version', version);
      expect(condition(await live(slipway, machine, 6 * minute), 'K3sBinary')).toBe('False VersionRefused');
      expect(machine.units.starts).toBe(1);
    },
  );
});

describe('a change of role between server and agent', () => {
  test('is reported as RoleChanged, and K3s keeps running in the old role', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.tag('k3s-role', 'agent');
    machine.cloud.tag('k3s-server', '10.0.0.4');
    const report = await live(slipway, machine, 6 * minute);
    expect(condition(report, 'Role')).toBe('False RoleChanged');
    expect(machine.units.isActive(/^k3s\.service$/)).toBe(true);
  });

  test.each([
    ['server', 'agent', /^k3s\.service$/],
    ['agent', 'server', /^k3s-agent\.service$/],
    ['observability', 'server', /^k3s-agent\.service$/],
  ])(
    'does not keep Slipway from restarting a stopped K3s, and changes no file: from %s to %s',
    async (role, wanted, unit) => {
      const { machine, slipway } = await booted(role);
      const before = JSON.stringify([
        machine.host.files.text('/etc/rancher/k3s/config.yaml'),
        machine.host.files.list('/usr/local/bin'),
        machine.host.files.list('/etc/systemd/system'),
      ]);
      machine.cloud.tag('k3s-role', wanted);
      await live(slipway, machine, minute);
      await machine.units.systemctl([
        'stop',
        '--no-block',
        String(unit).includes('agent') ? 'k3s-agent.service' : 'k3s.service',
      ]);
      const report = await live(slipway, machine, 10 * minute);
      expect(condition(report, 'Role')).toBe('False RoleChanged');
      expect(condition(report, 'Ready')).toBe('True RoleChanged');
      expect(machine.units.isActive(unit)).toBe(true);
      const after = [
        machine.host.files.text('/etc/rancher/k3s/config.yaml'),
        machine.host.files.list('/usr/local/bin'),
        machine.host.files.list('/etc/systemd/system'),
      ];
      expect(JSON.stringify(after)).toBe(before);
    },
  );

  test('takes effect with consent, and the data of the old role is kept', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.tag('k3s-role', 'agent');
    machine.cloud.tag('k3s-server', '10.0.0.4');
    settle(machine, asked(await live(slipway, machine, minute), 'Role'));
    expect(isReady(await live(slipway, machine, 15 * minute, isReady))).toBe(true);
    expect(machine.units.isActive(/^k3s\.service$/)).toBe(false);
    expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(true);
    expect(machine.host.files.list('/var/lib/rancher').some((name) => /^k3s\.server-/.test(name))).toBe(true);
  });
});

describe('an agent that becomes a server with consent', () => {
  /** Makes an agent with a pod become a server; `stops` are the pods on it each time that its K3s is disabled. */
  async function changed(damage: (machine: Vm) => void = () => {}) {
    const { machine, slipway } = await booted('agent');
    putPod(machine.kubernetes, 'web', { node: 'agent-1' });
    machine.cloud.tag('k3s-role', 'server');
    machine.cloud.tag('k3s-server', undefined);
    const line = asked(await live(slipway, machine, minute), 'Role');
    damage(machine);
    const stops: (readonly string[])[] = [];
    const { systemctl } = machine.units;
    machine.units.systemctl = (args) => {
      if (args[0] === 'disable') {
        stops.push(podsOn(machine.kubernetes, 'agent-1'));
      }
      return systemctl.call(machine.units, args);
    };
    settle(machine, line);
    const report = await live(slipway, machine, 15 * minute);
    return { machine, report, stops };
  }

  test('evicts its pods before its K3s stops, and takes the new role', async () => {
    const { machine, report, stops } = await changed();
    expect(stops).toEqual([[]]);
    expect(condition(report, 'Role')).toBe('True InSync');
    expect(machine.units.isActive(/^k3s\.service$/)).toBe(true);
    expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(false);
  });

  test('stays an agent while a budget keeps a pod on it', async () => {
    const { machine, report, stops } = await changed(({ kubernetes }) => {
      putPod(kubernetes, 'db', { node: 'agent-1', labels: { app: 'db' } });
      putBudget(kubernetes, 'db', 'db', 1);
    });
    expect(stops).toEqual([]);
    expect(condition(report, 'Role')).toBe('False DrainGaveUp');
    expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(true);
  });

  test('stays an agent with its pods while it is held', async () => {
    const { machine, slipway } = await booted('agent');
    putPod(machine.kubernetes, 'web', { node: 'agent-1' });
    machine.cloud.tag('k3s-role', 'server');
    machine.cloud.tag('k3s-server', undefined);
    const line = asked(await live(slipway, machine, minute), 'Role');
    await hold(machine.host, nodePaths('/'), 'under investigation');
    settle(machine, line);
    const held = await live(slipway, machine, 15 * minute);
    expect(condition(held, 'Role')).toBe('False Held');
    expect(condition(held, 'NodeReady')).toBe('True InSync');
    expect(condition(held, 'Ready')).toBe('True Held');
    expect(podsOn(machine.kubernetes, 'agent-1')).toEqual(['web']);
    expect(machine.units.isActive(/^k3s-agent\.service$/)).toBe(true);
    await release(machine.host, nodePaths('/'));
    expect(condition(await live(slipway, machine, 15 * minute), 'Role')).toBe('True InSync');
    expect(machine.units.isActive(/^k3s\.service$/)).toBe(true);
  });
});

describe('a rebuilt server', () => {
  test('is reported as ServerChanged, and K3s on the agent keeps running', async () => {
    const { machine, slipway } = await booted('agent');
    machine.server = { token: joinToken, ca: createAuthority().certificate };
    const report = await live(slipway, machine, 6 * minute);
    expect(condition(report, 'ServerReachable')).toBe('False ServerChanged');
    expect(machine.units.starts).toBe(1);
  });

  test('can be joined with consent', async () => {
    const { machine, slipway } = await booted('agent');
    const rebuilt = createAuthority().certificate;
    machine.server = { token: joinToken, ca: rebuilt };
    settle(machine, asked(await live(slipway, machine, minute), 'ServerReachable'));
    expect(isReady(await live(slipway, machine, 15 * minute, isReady))).toBe(true);
    expect(machine.host.files.text('/var/lib/rancher/k3s/agent/server-ca.crt')).toBe(rebuilt);
    expect(machine.units.starts).toBe(2);
    expect(machine.host.files.text(tokenFile)).toBe(`K10${pinnedCa(rebuilt).hash}::node:${joinToken}\n`);
  });

  test('stays refused after a reboot of the agent, because the token pins the CA', async () => {
    const { machine } = await booted('agent');
    const known = machine.host.files.text(serverCa);
    expect(machine.host.files.text(tokenFile)).toBe(`K10${pinnedCa(known ?? '').hash}::node:${joinToken}\n`);
    machine.server = { token: joinToken, ca: createAuthority().certificate };
    await machine.reboot();
    const report = await live(machine.slipway(), machine, 6 * minute);
    expect(condition(report, 'ServerReachable')).toBe('False ServerChanged');
    expect(machine.host.files.text(serverCa)).toBe(known);
  });
});

test('a new server CA that the known CA signed is pinned without consent and without a restart', async () => {
  const { machine, slipway } = await booted('agent');
  const renewed = rotated(authority);
  machine.server = { token: joinToken, ca: renewed };
  await live(slipway, machine, 6 * minute);
  expect(machine.host.files.text(tokenFile)).toBe(`K10${pinnedCa(renewed).hash}::node:${joinToken}\n`);
  expect(machine.units.starts).toBe(1);
  await machine.reboot();
  const again = machine.slipway();
  expect(isReady(await live(again, machine, 15 * minute, isReady))).toBe(true);
  expect(machine.host.files.text(serverCa)).toBe(renewed);
});

test('a token in the vault that pins a CA is written unchanged', async () => {
  const machine = vm('agent', noRestarts);
  const pinned = `K10${pinnedCa(authority.certificate).hash}::server:${joinToken}`;
  machine.cloud.secrets.set('k3s-token', pinned);
  expect(isReady(await live(machine.slipway(), machine, 10 * minute, isReady))).toBe(true);
  expect(machine.host.files.text(tokenFile)).toBe(`${pinned}\n`);
});

describe('a server whose settings name a server to join', () => {
  test('reports ClusterExists and does not start K3s', async () => {
    const machine = vm('server');
    machine.cloud.tag('k3s-server', '10.0.0.9');
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'Role')).toBe('False ClusterExists');
    expect(machine.units.starts).toBe(0);
    expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toBeUndefined();
  });

  test('stays Ready and restarts a stopped K3s if it already has a cluster', async () => {
    const { machine, slipway } = await booted('server');
    machine.cloud.tag('k3s-server', '10.0.0.9');
    await machine.units.systemctl(['stop', '--no-block', 'k3s.service']);
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'Role')).toBe('False ClusterExists');
    expect(condition(report, 'Ready')).toBe('True ClusterExists');
    expect(machine.units.isActive(/^k3s\.service$/)).toBe(true);
  });
});

describe('a setting that must not change once the cluster exists', () => {
  const config = (machine: Vm) => machine.host.files.text('/etc/rancher/k3s/config.yaml') ?? '';

  test('is reported as SettingsIrreversible, is not written, and causes no restart', async () => {
    const { machine, slipway } = await booted('server');
    settle(machine, 'k3s: { config: { cluster-cidr: 10.50.0.0/16 } }');
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'K3sConfig')).toBe('False SettingsIrreversible');
    expect(condition(report, 'Ready')).toBe('True SettingsIrreversible');
    expect(config(machine)).not.toContain('cluster-cidr');
    expect(machine.units.starts).toBe(1);
  });

  test('is written once the settings contain the suggested consent', async () => {
    const { machine, slipway } = await booted('server');
    const wanted = 'k3s: { config: { flannel-backend: host-gw } }';
    settle(machine, wanted);
    const line = asked(await live(slipway, machine, 10 * minute), 'K3sConfig');
    expect(line).toBe('consent: { settings: [flannel-backend=host-gw] }');
    settle(machine, `${wanted}\n${line}`);
    expect(isReady(await live(slipway, machine, 10 * minute, isReady))).toBe(true);
    expect(config(machine)).toContain('flannel-backend: "host-gw"');
    expect(machine.units.starts).toBe(2);
  });
});

test('a new taint of a registered node is reported with the kubectl command that adds the taint, and the node stays Ready', async () => {
  const { machine, slipway } = await booted('agent');
  settle(machine, 'node: { taints: ["gpu=true:NoSchedule"] }');
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'NodeReady')).toBe('False TaintNotApplied');
  expect(JSON.stringify(report.conditions)).toContain('kubectl taint node agent-1 gpu=true:NoSchedule');
  expect(condition(report, 'Ready')).toBe('True TaintNotApplied');
});
