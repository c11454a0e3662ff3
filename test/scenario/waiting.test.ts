import { describe, expect, test } from 'vitest';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { condition, isReady, live, vm } from './a-vm.ts';
import { ca, joinToken } from './world.ts';

const second = 1_000;
const minute = 60 * second;

describe('the role', () => {
  test.each([
    [undefined, 'RoleMissing'],
    ['sevrer', 'RoleUnknown'],
  ])('is awaited while the tag k3s-role is %s, and taken once the tag is valid', async (tag, reason) => {
    const machine = vm('server');
    machine.cloud.tag('k3s-role', tag);
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, 30 * second);
    expect(condition(waiting, 'Role')).toBe(`Unknown ${reason}`);
    expect(JSON.stringify(waiting.conditions)).toContain('server, agent, observability');
    expect(machine.host.journal).toEqual([]);
    machine.cloud.tag('k3s-role', 'Server');
    expect(isReady(await live(slipway, machine, 3 * minute, isReady))).toBe(true);
  });

  test('is not taken from the tag if tags.role is false', async () => {
    const machine = vm('server', 'role: agent\ntags: { role: false }\nk3s: { server: 10.0.0.4 }');
    const report = await live(machine.slipway(), machine, minute, isReady);
    expect(report.knowledge.role.value?.name).toBe('agent');
  });
});

describe('the join token', () => {
  test('is requested every ten seconds while the vault lacks the secret', async () => {
    const machine = vm('server');
    machine.cloud.secrets.delete('k3s-token');
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, 4 * minute);
    expect(condition(waiting, 'JoinToken')).toBe('Unknown SecretNotFound');
    machine.cloud.secrets.set('k3s-token', joinToken);
    expect(isReady(await live(slipway, machine, minute, isReady))).toBe(true);
    const attempts = machine.cloud.calls.filter((call) => call === 'secret k3s-token').length;
    expect(attempts).toBeGreaterThanOrEqual(24);
    expect(attempts).toBeLessThanOrEqual(26);
  });

  test('is reported as missing after six minutes, but still requested until the secret exists', async () => {
    const machine = vm('server');
    machine.cloud.secrets.delete('k3s-token');
    const slipway = machine.slipway();
    expect(condition(await live(slipway, machine, 6 * minute), 'JoinToken')).toBe('False SecretNotFound');
    await live(slipway, machine, 3 * 60 * minute);
    machine.cloud.secrets.set('k3s-token', joinToken);
    expect(isReady(await live(slipway, machine, 12 * minute, isReady))).toBe(true);
  });

  test('is reported as failed at once if only a person can repair the cause', async () => {
    const machine = vm('server');
    machine.cloud.fail('secret', new NodeError('VaultWrongTenant', 'no', { endedBy: 'person' }));
    expect(condition(await machine.slipway().pass(), 'JoinToken')).toBe('False VaultWrongTenant');
  });
});

describe('an agent', () => {
  test('does not start K3s before its server accepts the token', async () => {
    const machine = vm('agent');
    machine.server = undefined;
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, minute);
    expect(condition(waiting, 'ServerReachable')).toBe('Unknown ServerUnreachable');
    expect(machine.units.starts).toBe(0);
    machine.server = { token: joinToken, ca };
    expect(isReady(await live(slipway, machine, 3 * minute, isReady))).toBe(true);
    expect(machine.units.starts).toBe(1);
  });

  test('takes a newer token from the vault after the server refuses the old token', async () => {
    const machine = vm('agent');
    machine.server = { token: 'rotated-token', ca };
    const slipway = machine.slipway();
    expect(condition(await live(slipway, machine, minute), 'ServerReachable')).toBe('False TokenRejected');
    machine.cloud.secrets.set('k3s-token', 'rotated-token');
    expect(isReady(await live(slipway, machine, 13 * minute, isReady))).toBe(true);
    expect(machine.units.starts).toBe(1);
  });

  test('stays Ready while its server is down', async () => {
    const machine = vm('agent', 'registries: { onRotate: never }');
    const slipway = machine.slipway();
    await live(slipway, machine, minute, isReady);
    machine.server = undefined;
    const away = await live(slipway, machine, 8 * minute);
    expect(condition(away, 'ServerReachable')).toBe('False ServerUnreachable');
    expect(condition(away, 'Ready')).toBe('True ServerUnreachable');
    expect(machine.units.starts).toBe(1);
  });

  test('reports a missing k3s-server tag, and joins once the tag exists', async () => {
    const machine = vm('agent');
    machine.cloud.tag('k3s-server', undefined);
    const slipway = machine.slipway();
    const waiting = await live(slipway, machine, minute);
    expect(condition(waiting, 'ServerReachable')).toMatch(/ServerUnknown$/);
    machine.cloud.tag('k3s-server', '10.0.0.4');
    expect(isReady(await live(slipway, machine, 13 * minute, isReady))).toBe(true);
  });
});
