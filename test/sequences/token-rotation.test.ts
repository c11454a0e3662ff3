import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { Crash } from '../lab/memory-host.ts';
import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import { booted, condition, live, noRestarts, type Vm } from '../scenario/a-vm.ts';
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

/** Checks that the cluster has the token, wherever the server keeps it, and that K3s accepts it. */
function expectToken({ host, passwords }: Vm, token: string): void {
  expect([host.files.text(tokenFile), passwords.accepts(token), passwords.belongsTo(token)]).toEqual([
    `${token}\n`,
    true,
    true,
  ]);
}

/** Starts K3s again twice, as two reboots do, because a fault in its passwords shows only at a later start. */
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
    const order = [
      /^copy .*state\.db/,
      /^send PUT .*v1-k3s\/token/,
      /^write .*join-token/,
      /^send PATCH .*nodes/,
      /^run systemctl restart/,
    ];
    const places = order.map((pattern) => did.findIndex((line) => pattern.test(line)));
    expect(places.slice(0, 2)).toEqual(places.slice(0, 2).toSorted((a, b) => a - b));
    const restart = did.findIndex((line) => /^run systemctl restart/.test(line));
    expect(did.findLastIndex((line) => /^write .*join-token/.test(line))).toBeLessThan(restart);
    expect(did.findIndex((line) => /^send PUT .*v1-k3s\/token/.test(line))).toBeGreaterThan(0);
    await expectLasting(machine, next);
    expect(machine.host.files.text(record)).not.toMatch(/canary/);
    expect(JSON.stringify(machine.host.journal)).not.toMatch(/canary/);
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
