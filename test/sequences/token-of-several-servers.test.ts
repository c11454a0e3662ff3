import { describe, expect, test } from 'vitest';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { Crash } from '../lab/memory-host.ts';
import { rotationSteps } from '../lab/standins/k3s-bootstrap.ts';
import { condition, isReady, live, type Vm, vm } from '../scenario/a-vm.ts';
import { etcd, withPeer } from '../scenario/founding-kinds.ts';
import { ca } from '../scenario/world.ts';

const minute = 60_000;
const next = 'second-token-canary-55d1';
const consent = `consent: { tokenChange: ["${sha256(next).slice(0, 12)}"] }\n`;

/** Boots one of several servers, and stores a new token in the vault, to which the settings consent. */
async function consented(): Promise<Vm> {
  const machine = vm('server', `${etcd}${consent}`);
  withPeer(machine);
  await live(machine.slipway(), machine, 2 * minute, isReady);
  machine.host.files.write('/var/lib/rancher/k3s/server/tls/server-ca.crt', ca);
  machine.cloud.secrets.set('k3s-token', next);
  machine.host.advance(125 * minute);
  return machine;
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text('/var/lib/slipway/token-rotation.json') ?? '{}').state;
}

function expectNext(machine: Vm): void {
  const { passwords } = machine;
  expect([state(machine), passwords.accepts(next), passwords.belongsTo(next)]).toEqual(['done', true, true]);
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}

describe('a rotation of the join token on one of several servers', () => {
  test('ends with the new token after a crash of Slipway before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const machine = await consented();
      machine.host.restart();
      const isDone = () => state(machine) === 'done';
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
        await live(machine.slipway(), machine, 30 * minute, isDone).catch(onlyCrash);
        expect(machine.host.crashed).toBe(true);
        machine.host.restart();
      }
      await live(machine.slipway(), machine, 60 * minute, isDone);
      expectNext(machine);
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
      const machine = await consented();
      machine.passwords.trouble = { step, ends };
      const report = await live(machine.slipway(), machine, 40 * minute);
      expect(condition(report, 'NodeReady')).toBe('True InSync');
      expectNext(machine);
    });

    test('ends with the new token if the VM loses power', async () => {
      const machine = await consented();
      machine.passwords.trouble = { step, ends: 'killed' };
      await live(machine.slipway(), machine, 30 * minute, () => machine.passwords.trouble === undefined);
      await machine.reboot();
      const report = await live(machine.slipway(), machine, 40 * minute);
      expect(condition(report, 'NodeReady')).toBe('True InSync');
      expectNext(machine);
    });
  });
});
