import { describe, expect, test } from 'vitest';
import { booted, condition, isReady, live, noRestarts, registry, vm } from './a-vm.ts';
import { editFlux } from './cluster.ts';

const minute = 60_000;

describe('a K3s binary that does not report its version', () => {
  test.each([137, 1, 0])(
    'is not replaced on a joined node, and K3s is not restarted (exit code %i)',
    async (exitCode) => {
      const { machine, slipway } = await booted('server', `${noRestarts}k3s: { version: v1.30.0+k3s1 }`);
      machine.host.files.write('/usr/local/bin/k3s', 'k3s v1.36.3+k3s1', 0o755);
      await live(slipway, machine, 30 * minute);
      const starts = machine.units.starts;
      machine.host.once({ file: 'k3s', args: ['--version'] }, { exitCode });
      machine.host.once({ file: 'k3s', args: ['--version'] }, { exitCode });
      await live(slipway, machine, 10 * minute);
      expect(machine.host.files.text('/usr/local/bin/k3s')).toBe('k3s v1.36.3+k3s1');
      expect(machine.units.starts).toBe(starts);
    },
  );

  test('is downloaded again if the node has not joined yet', async () => {
    const machine = vm('server');
    machine.host.files.write('/usr/local/bin/k3s', 'half a download', 0o755);
    machine.host.once({ file: 'k3s', args: ['--version'] }, { exitCode: 126 });
    expect(isReady(await live(machine.slipway(), machine, minute, isReady))).toBe(true);
  });
});

describe('a directory in the path of K3s that another user owns', () => {
  const path = '/usr/local/bin';

  test('keeps Slipway from installing and starting K3s until root owns the directory again', async () => {
    const machine = vm('server');
    machine.host.files.write(`${path}/k3s`, 'not K3s', 0o755);
    machine.host.files.give(path, '1000:1000');
    const slipway = machine.slipway();
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'Preflight')).toBe('False UnsafePath');
    expect(machine.units.starts).toBe(0);
    expect(machine.host.looks.filter((line) => line.includes(`${path}/k3s`))).toEqual([]);
    expect(machine.host.files.text(`${path}/k3s`)).toBe('not K3s');
    machine.host.files.give(path);
    expect(isReady(await live(slipway, machine, 10 * minute, isReady))).toBe(true);
  });

  test('does not keep Slipway from restoring files of a node that has joined', async () => {
    const { machine, slipway } = await booted('server');
    machine.host.files.give(path, '1000:1000');
    machine.host.files.remove('/etc/rancher/k3s/config.yaml');
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'Preflight')).toBe('False UnsafePath');
    expect(condition(report, 'Ready')).toMatch(/^True/);
    expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain('token-file');
  });
});

test('the condition of a K3s that keeps crashing changes at most three times, and quotes the log of K3s', async () => {
  const { machine, slipway } = await booted('server');
  machine.units.failing = 'level=fatal msg="listen tcp :6443: bind: address already in use"';
  await machine.units.systemctl(['restart', '--no-block', 'k3s.service']);
  machine.events.length = 0;
  const report = await live(slipway, machine, 20 * minute);
  expect(condition(report, 'K3sRunning')).toBe('False ServiceFailed');
  expect(JSON.stringify(report.conditions)).toContain('address already in use');
  const told = machine.events.filter(
    (event) => event.type === 'ConditionChanged' && event.condition.type === 'K3sRunning',
  );
  expect(told.length).toBeLessThanOrEqual(3);
});

test('a clock set back by hours does not delay a retry', async () => {
  const machine = vm('server');
  machine.cloud.secrets.delete('k3s-token');
  const slipway = machine.slipway();
  await live(slipway, machine, minute);
  const before = machine.cloud.calls.length;
  machine.host.setClock(machine.host.now() - 5 * 60 * minute);
  await live(slipway, machine, minute);
  expect(
    machine.cloud.calls.slice(before).filter((call) => call.startsWith('secret')).length,
  ).toBeGreaterThan(3);
});

test('an agent that has joined sends its token only to a server with the known CA', async () => {
  const { machine, slipway } = await booted('agent');
  const asked: unknown[] = [];
  machine.server = machine.server && {
    ...machine.server,
    ca: `${machine.server.ca}${'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'}`,
  };
  machine.host.onGet(/readyz$/, ({ trust }) => {
    asked.push(trust);
    return 'ok';
  });
  await live(slipway, machine, 6 * minute);
  expect(asked.length).toBeGreaterThan(0);
  for (const trust of asked) {
    expect(JSON.stringify(trust)).not.toContain('AAAA');
  }
});

test('a node stays Ready while Flux is suspended', async () => {
  const { machine, slipway } = await booted('server');
  editFlux(machine, 'sync', { suspend: true });
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'GitOps')).toBe('False KustomizationNotReady');
  expect(condition(report, 'Ready')).toMatch(/^True/);
});

test('a registry that refuses the identity blocks neither K3s nor other registries', async () => {
  const machine = vm('agent', `registries: { servers: [${registry}, typo.azurecr.io], onRotate: never }`);
  const slipway = machine.slipway();
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'Registries')).toBe('False RegistryUnauthorized');
  expect(condition(report, 'NodeReady')).toBe('True InSync');
  machine.cloud.calls.length = 0;
  for (let rotation = 0; rotation < 2; rotation += 1) {
    machine.host.advance(100 * minute);
    await live(slipway, machine, 20 * minute);
  }
  expect(machine.cloud.calls.filter((call) => call === `registryPassword ${registry}`)).toHaveLength(2);
});

test('a missing agent token does not disturb a running server, and is used once it exists', async () => {
  const { machine, slipway } = await booted('server');
  machine.host.files.write(
    '/etc/slipway/config.d/agents.yaml',
    'joinToken: { agentSecretName: k3s-agent-token }',
  );
  const report = await live(slipway, machine, 20 * minute);
  expect(condition(report, 'JoinToken')).toBe('False SecretNotFound');
  expect(condition(report, 'Ready')).toMatch(/^True/);
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).not.toContain('agent-token-file');
  machine.cloud.secrets.set('k3s-agent-token', 'agents-only');
  await live(slipway, machine, 20 * minute);
  expect(machine.host.files.text('/etc/rancher/k3s/config.yaml')).toContain('agent-token-file');
  expect(machine.units.starts).toBe(2);
});

test('an invalid key in k3s.config does not keep a stopped K3s from being started again', async () => {
  const { machine, slipway } = await booted('agent');
  machine.host.files.write('/etc/slipway/config.d/k3s.yaml', 'k3s: { config: { cluster-init: true } }');
  await machine.units.systemctl(['stop', '--no-block', 'k3s-agent.service']);
  const report = await live(slipway, machine, 10 * minute);
  expect(condition(report, 'K3sConfig')).toBe('False K3sConfigInvalid');
  expect(machine.units.isActive(/^k3s-agent/)).toBe(true);
});

test('corrected settings take effect in the next pass', async () => {
  const machine = vm('server', `${noRestarts}joinToken: { secretName: k3s-tokn, attempts: 1 }`);
  const slipway = machine.slipway();
  expect(condition(await live(slipway, machine, minute), 'JoinToken')).toBe('False SecretNotFound');
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', noRestarts);
  const report = await slipway.pass();
  expect(condition(report, 'JoinToken')).toMatch(/^True/);
});
