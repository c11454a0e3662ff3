import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { Crash } from '../lab/memory-host.ts';
import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import { booted, condition, isReady, live, noRestarts, type Vm, vm } from '../scenario/a-vm.ts';
import { ca, joinToken } from '../scenario/world.ts';
import { datastoreSql } from '../unit/agent/parts/k3s/datastore/a-datastore.ts';

const minute = 60_000;
const tokenFile = '/var/lib/slipway/join-token';
const record = '/var/lib/slipway/token-rotation.json';
const next = 'second-token-canary-55d1';
const shortly = (token: string) => sha256(token).slice(0, 12);

/** Boots a server with SQLite, and stores a new token in the vault, to which the settings consent. */
async function consented() {
  const { machine, slipway } = await booted('server');
  const data = '/var/lib/rancher/k3s/server';
  machine.host.files.write(`${data}/db/state.db`, datastoreSql(shortly(joinToken)), 0o600);
  machine.host.files.write(`${data}/tls/server-ca.crt`, ca);
  machine.cloud.secrets.set('k3s-token', next);
  consent(machine, next);
  machine.host.advance(125 * minute);
  return { machine, slipway };
}

function consent(machine: Vm, ...tokens: readonly string[]): void {
  const text = `${noRestarts}consent: { tokenChange: [${tokens.map((token) => `"${shortly(token)}"`)}] }\n`;
  machine.host.files.write('/etc/slipway/config.d/extra.yaml', text);
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text(record) ?? '{}').state;
}

/** Checks that Slipway's file and the datastore have the token, and that K3s accepts it. */
function expectToken({ host, passwords }: Vm, token: string): void {
  expect([host.files.text(tokenFile), passwords.accepts(token), passwords.belongsTo(token)]).toEqual([
    `${token}\n`,
    true,
    true,
  ]);
}

/** Checks the token after each of two reboots, because a fault in K3s's passwords shows only later. */
async function expectLasting(machine: Vm, token: string): Promise<void> {
  for (let reboot = 0; reboot < 2; reboot += 1) {
    machine.host.advance(10 * minute);
    await machine.reboot();
    const report = await live(machine.slipway(), machine, 10 * minute);
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expectToken(machine, token);
  }
}

function isDone(machine: Vm) {
  return () => state(machine) === 'done';
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}

describe('a rotation of the join token', () => {
  test('copies the datastore, makes K3s store the token, writes the file, and then restarts K3s once in its turn', async () => {
    const { machine, slipway } = await consented();
    const { length } = machine.host.journal;
    await live(slipway, machine, 10 * minute, isDone(machine));
    expectToken(machine, next);
    expect(machine.units.starts).toBe(2);
    const did = machine.host.lines().slice(length);
    const first = (pattern: RegExp) => did.findIndex((line) => pattern.test(line));
    const places = [
      first(/^copy .*state\.db/),
      first(/^send PUT .*v1-k3s\/token/),
      did.findLastIndex((line) => /^write .*join-token/.test(line)),
      first(/^run systemctl restart/),
    ];
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    await expectLasting(machine, next);
    expect(machine.host.files.text(record)).not.toMatch(/canary/);
    expect(JSON.stringify(machine.host.journal)).not.toMatch(/join-token-canary|second-token-canary/);
  });

  test('ends with the new token after a crash of Slipway before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const { machine } = await consented();
      machine.host.restart();
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
        await live(machine.slipway(), machine, 10 * minute, isDone(machine)).catch(onlyCrash);
        expect(machine.host.crashed).toBe(true);
        machine.host.restart();
      }
      await live(machine.slipway(), machine, 15 * minute, isDone(machine));
      expectToken(machine, next);
      return machine.host.mutations;
    };
    const mutations = await through();
    expect(mutations).toBeGreaterThan(8);
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      await through(mutation);
    }
  });

  describe.each(rotationSteps)('whose request is interrupted after the step "%s"', (step) => {
    test.each(['killed', 'answers 500'] as const)('ends with the new token if K3s is %s', async (ends) => {
      const { machine, slipway } = await consented();
      machine.passwords.trouble = { step, ends };
      const report = await live(slipway, machine, 30 * minute);
      expect([state(machine), condition(report, 'NodeReady')]).toEqual(['done', 'True InSync']);
      expectToken(machine, next);
      await expectLasting(machine, next);
    });

    test('ends with the new token if the VM loses power', async () => {
      const { machine, slipway } = await consented();
      machine.passwords.trouble = { step, ends: 'killed' };
      await live(slipway, machine, 30 * minute, () => machine.passwords.trouble === undefined);
      await machine.reboot();
      const report = await live(machine.slipway(), machine, 30 * minute);
      expect([state(machine), condition(report, 'NodeReady')]).toEqual(['done', 'True InSync']);
      await expectLasting(machine, next);
    });

    test('goes on to the new token although the vault has the old token again', async () => {
      const { machine, slipway } = await consented();
      machine.passwords.trouble = { step, ends: 'killed' };
      await live(slipway, machine, 30 * minute, () => machine.passwords.trouble === undefined);
      machine.cloud.secrets.set('k3s-token', joinToken);
      await live(slipway, machine, 30 * minute, isDone(machine));
      expectToken(machine, next);
      const later = await live(slipway, machine, 130 * minute);
      expect(condition(later, 'JoinToken')).toBe('False TokenChanged');
      expectToken(machine, next);
    });
  });
});

describe('a rotation of the join token', () => {
  test('waits for the turn of the server before it restarts K3s, and lets nodes join with the old token until then', async () => {
    const { machine, slipway } = await consented();
    machine.host.files.write('/etc/slipway/config.d/pause.yaml', 'maintenance: { pause: true }\n');
    const report = await live(slipway, machine, 20 * minute);
    expect([state(machine), machine.units.starts]).toEqual(['rotated', 1]);
    expect(condition(report, 'Maintenance')).toMatch(/TurnAwaited$/);
    expect([machine.passwords.accepts(joinToken), machine.passwords.belongsTo(next)]).toEqual([true, true]);
    machine.host.files.remove('/etc/slipway/config.d/pause.yaml');
    await live(slipway, machine, 10 * minute, isDone(machine));
    expectToken(machine, next);
  });

  test('needs no turn if a reboot starts K3s first', async () => {
    const { machine, slipway } = await consented();
    machine.host.files.write('/etc/slipway/config.d/pause.yaml', 'maintenance: { pause: true }\n');
    await live(slipway, machine, 20 * minute);
    await machine.reboot();
    await live(machine.slipway(), machine, 5 * minute, isDone(machine));
    expectToken(machine, next);
    expect(machine.units.starts).toBe(2);
  });

  test('does not begin while the disk lacks the room for a copy, or without consent', async () => {
    const { machine, slipway } = await consented();
    machine.host.free = 1_000;
    const report = await live(slipway, machine, 20 * minute);
    expect([condition(report, 'JoinToken'), state(machine)]).toEqual(['False CopyDeclined', 'wanted']);
    consent(machine);
    machine.host.free = 2 ** 40;
    await live(slipway, machine, 20 * minute);
    expect([state(machine), machine.passwords.rotations]).toEqual([undefined, 0]);
    expectToken(machine, joinToken);
  });

  test('reports that K3s refuses, and goes on once K3s accepts', async () => {
    const { machine, slipway } = await consented();
    machine.passwords.isRefusing = true;
    const report = await live(slipway, machine, 20 * minute);
    expect(condition(report, 'JoinToken')).toBe('False TokenRotationFailed');
    expect(condition(report, 'Ready')).toBe('True TokenRotationFailed');
    machine.passwords.isRefusing = false;
    await live(slipway, machine, 20 * minute, isDone(machine));
    expectToken(machine, next);
  });

  test('shows itself in the Lease of turns until it ends', async () => {
    const { machine, slipway } = await consented();
    const notice = () =>
      Object(
        machine.kubernetes.objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns')?.metadata
          .annotations,
      )['slipway.dev/token-rotation'];
    await live(slipway, machine, 10 * minute, () => state(machine) === 'rotated');
    expect(JSON.parse(notice())).toMatchObject({ from: shortly(joinToken), to: shortly(next) });
    await live(slipway, machine, 10 * minute, isDone(machine));
    expect(notice()).toBe('');
  });
});

describe('an agent', () => {
  test('joins with the former version of the secret while the server still has it, and then follows without a restart', async () => {
    const machine = vm('agent', noRestarts);
    machine.cloud.secrets.set('k3s-token', next);
    const slipway = machine.slipway();
    await live(slipway, machine, 2 * minute, isReady);
    expect([machine.units.starts, machine.host.files.text(tokenFile)]).toEqual([
      1,
      expect.stringContaining(joinToken),
    ]);
    machine.server = { token: next, ca };
    const report = await live(slipway, machine, 20 * minute);
    expect(machine.host.files.text(tokenFile)).toMatch(new RegExp(`^K10[0-9a-f]{64}::node:${next}\n$`));
    expect([condition(report, 'ServerReachable'), machine.units.starts]).toEqual(['True InSync', 1]);
  });
});

describe('a new token of the agents', () => {
  const agents = 'joinToken: { agentSecretName: agents }\n';

  async function withAgentToken() {
    const machine = vm('server', `${noRestarts}${agents}`);
    machine.cloud.secrets.set('agents', 'agents-canary-1');
    await live(machine.slipway(), machine, 2 * minute, isReady);
    machine.host.advance(125 * minute);
    machine.cloud.secrets.set('agents', 'agents-canary-2');
    return machine;
  }

  test('restarts K3s once, and is saved in the datastore, so that K3s also starts after a reboot', async () => {
    const machine = await withAgentToken();
    await live(machine.slipway(), machine, 20 * minute);
    expect([machine.units.starts, machine.passwords.accepts('agents-canary-2')]).toEqual([2, true]);
    machine.host.advance(10 * minute);
    await machine.reboot();
    await live(machine.slipway(), machine, 5 * minute);
    expect([machine.units.starts, machine.passwords.accepts('agents-canary-2')]).toEqual([3, true]);
  });

  test('lets K3s start again after a crash of Slipway before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const machine = await withAgentToken();
      machine.host.restart();
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
      }
      await live(machine.slipway(), machine, 20 * minute).catch(onlyCrash);
      expect(machine.host.crashed).toBe(mutation !== undefined);
      const { mutations } = machine.host;
      machine.host.restart();
      await machine.reboot();
      await live(machine.slipway(), machine, 20 * minute);
      expect(machine.passwords.accepts('agents-canary-2')).toBe(true);
      machine.host.advance(10 * minute);
      await machine.reboot();
      const report = await live(machine.slipway(), machine, 10 * minute);
      expect(condition(report, 'NodeReady')).toBe('True InSync');
      return mutations;
    };
    const mutations = await through();
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      await through(mutation);
    }
  });
});
