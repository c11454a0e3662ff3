import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/agent/agent.ts';
import { recordingHost } from '../../src/agent/host/recording/recording-host.ts';
import { readTurn, turnKeys } from '../../src/agent/parts/maintenance/index.ts';
import { withdrawnText } from '../../src/agent/parts/maintenance/turn/annotations.ts';
import { emptyLedger, ledgerKey, readLedger } from '../../src/agent/parts/maintenance/turn/ledger.ts';
import { ordersKey, ordersText } from '../../src/agent/parts/maintenance/turn/orders.ts';
import { planText } from '../../src/agent/report/plan-text.ts';
import { type CommandMatcher, Crash } from '../lab/memory-host.ts';
import { booted, condition, live, noRestarts, type Vm, vm } from '../scenario/a-vm.ts';
import { annotationsOf } from '../scenario/cluster.ts';
import { ca } from '../scenario/world.ts';
import { datastoreSql } from '../unit/agent/parts/k3s/datastore/a-datastore.ts';
import { putBudget, putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';

const minute = 60_000;
const extra = '/etc/slipway/config.d/extra.yaml';
const record = '/var/lib/slipway/upgrade.json';
const [binary, next, previous] = ['k3s', '.k3s.next', '.k3s.previous'].map(
  (name) => `/usr/local/bin/${name}`,
) as [string, string, string];
const [old, patch, minor] = ['v1.36.3+k3s1', 'v1.36.4+k3s1', 'v1.37.0+k3s1'] as const;
const panic = 'level=fatal msg="panic: nil map"';

/** Boots a server with a SQLite datastore. */
async function server() {
  const { machine, slipway } = await booted('server');
  const data = '/var/lib/rancher/k3s/server';
  machine.host.files.write(`${data}/db/state.db`, datastoreSql(), 0o600);
  machine.host.files.write(`${data}/tls/server-ca.crt`, ca);
  return { machine, slipway };
}

function want(machine: Vm, version: string, more = ''): void {
  machine.host.files.write(extra, `${noRestarts}k3s: { version: ${version}, upgrade: auto${more} }\n`);
}

/** Returns the release of an executable in the simulated VM; `undefined` if the file is missing. */
function release({ host }: Vm, path = binary): string | undefined {
  return host.files.text(path)?.replace('k3s ', '');
}

function state({ host }: Vm): string | undefined {
  return JSON.parse(host.files.text(record) ?? '{}').state;
}

function message({ conditions }: Report, type: string): string {
  return conditions.find((each) => each.type === type)?.message ?? '';
}

describe('an upgrade', () => {
  test('fetches the release, keeps the previous executable, restarts K3s once and is verified for a minute', async () => {
    const { machine, slipway } = await server();
    const { length } = machine.host.journal;
    want(machine, patch);
    const isWatched = (report: Report) => message(report, 'K3sBinary').includes('is watched for a minute');
    const watched = await live(slipway, machine, 8 * minute, isWatched);
    expect(condition(watched, 'K3sBinary')).toBe('Unknown Upgrading');
    expect(condition(watched, 'Ready')).toBe('True InSync');
    await live(slipway, machine, 50_000);
    expect(state(machine)).toBe('begun');
    const report = await live(slipway, machine, minute);
    expect(condition(report, 'K3sBinary')).toBe('True InSync');
    expect([release(machine), release(machine, previous), state(machine)]).toEqual([patch, old, 'done']);
    expect(machine.host.files.stat(next)).toBeUndefined();
    expect(machine.units.starts).toBe(2);
    const did = machine.host.lines().slice(length);
    const order = [
      /^download .*%2Bk3s1\/k3s -> .*\.k3s\.next/,
      /^write .*upgrade\.json/,
      /^copy .*state\.db/,
      /^run ln /,
      /^rename .*\.k3s\.next/,
      /^run systemctl restart/,
    ];
    const places = order.map((pattern) => did.findIndex((line) => pattern.test(line)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
  });

  test('reaches the same state after a crash before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const { machine } = await server();
      want(machine, patch);
      machine.host.restart();
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
        await live(machine.slipway(), machine, 8 * minute, (_) => state(machine) === 'done').catch(onlyCrash);
        expect(machine.host.crashed).toBe(true);
        machine.host.restart();
      }
      await live(machine.slipway(), machine, 8 * minute, (_) => state(machine) === 'done');
      expect([release(machine), release(machine, previous), state(machine)]).toEqual([patch, old, 'done']);
      expect(machine.host.files.stat(next)).toBeUndefined();
      expect(machine.units.starts).toBe(2);
      return machine.host.mutations;
    };
    const mutations = await through();
    expect(mutations).toBeGreaterThan(6);
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      await through(mutation);
    }
  });

  test('is listed in the plan with all its steps while it waits for its turn', async () => {
    const { machine, slipway } = await server();
    want(machine, patch, ' }\nmaintenance: { pause: true');
    await live(slipway, machine, 8 * minute);
    const plan = machine.slipway((host) => recordingHost(host));
    const { outcomes } = await plan.pass();
    const text = planText(outcomes.map((outcome) => ({ outcome, actions: [] })));
    const lines = text.split('\n').filter((line) => /^(note|then|wait|stop):/.test(line));
    expect(lines).toEqual([
      `note: wait for the turn of this node to upgrade K3s to ${patch}`,
      'then: copy the datastore before the upgrade',
      `then: replace the executable of K3s by ${patch}, and restart K3s`,
      `then: verify K3s ${patch} for a minute`,
    ]);
  });

  test('removes its download if the release is no longer wanted', async () => {
    const { machine, slipway } = await server();
    machine.host.jobs.lasting = 10 * minute;
    want(machine, patch);
    await live(slipway, machine, 6 * minute);
    machine.host.jobs.lasting = 0;
    want(machine, old);
    await live(slipway, machine, 15 * minute);
    expect([machine.host.files.stat(next), machine.units.starts]).toEqual([undefined, 1]);
  });
});

describe('an upgrade whose turn a person has released', () => {
  test.each([
    ['before the executable is replaced', { file: 'ln' }],
    ['before K3s is restarted', { file: 'systemctl', args: /^restart/ }],
  ])('goes on in another turn if released %s', async (_, command) => {
    const { machine } = await server();
    want(machine, patch);
    await crashedAt(machine, command);
    const released = releaseTurn(machine, 'server-1');
    const slipway = machine.slipway();
    await live(slipway, machine, 8 * minute);
    expect([machine.units.starts, state(machine) === 'done']).toEqual([1, false]);
    const report = await live(slipway, machine, 15 * minute);
    expect([release(machine), state(machine), machine.units.starts]).toEqual([patch, 'done', 2]);
    expect(condition(report, 'K3sBinary')).toBe('True InSync');
    const turn = readTurn(annotationsOf(machine, 'server-1'));
    expect(turn.request).toBeUndefined();
    expect(turn.state).toMatchObject({ state: 'done', wish: `upgrade ${patch}` });
    expect(turn.state?.nonce).not.toBe(released);
  });

  test('ends without another turn if released while the new release is verified', async () => {
    const { machine, slipway } = await server();
    want(machine, patch);
    const isWatched = (report: Report) => message(report, 'K3sBinary').includes('is watched for a minute');
    await live(slipway, machine, 8 * minute, isWatched);
    const released = releaseTurn(machine, 'server-1');
    await live(slipway, machine, 15 * minute);
    expect([release(machine), state(machine), machine.units.starts]).toEqual([patch, 'done', 2]);
    const turn = readTurn(annotationsOf(machine, 'server-1'));
    expect([turn.request, turn.grant, turn.state?.nonce]).toEqual([undefined, undefined, released]);
  });
});

describe('an upgrade in which the node reboots before the executable is replaced', () => {
  test('gives up its turn if the node cannot be drained again, and goes on in another turn', async () => {
    const { machine } = await server();
    const { kubernetes } = machine;
    kubernetes.objects.put('nodes', undefined, {
      ...{ apiVersion: 'v1', kind: 'Node', metadata: { name: 'agent-9' } },
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    want(machine, patch, ' }\nmaintenance: { drain: { upgrade: true, timeout: 1m } ');
    await crashedAt(machine, { file: 'ln' });
    await machine.reboot();
    putPod(kubernetes, 'web', { node: 'server-1', labels: { app: 'web' } });
    putBudget(kubernetes, 'web', 'web', 1);
    const slipway = machine.slipway();
    const turn = () => readTurn(annotationsOf(machine, 'server-1'));
    await live(slipway, machine, 10 * minute, () => turn().state?.state === 'gaveUp');
    expect(turn().state).toMatchObject({ state: 'gaveUp', wish: `upgrade ${patch}` });
    expect([release(machine), machine.host.files.text(record)]).toEqual([old, undefined]);
    kubernetes.objects.remove('poddisruptionbudgets.policy', 'default', 'web');
    await live(slipway, machine, 20 * minute);
    expect([release(machine), state(machine), turn().state?.state]).toEqual([patch, 'done', 'done']);
  });
});

describe('an upgrade whose datastore cannot be copied', () => {
  const inRoom = ({ host }: Vm) => ({ free: async () => Math.floor(host.free / 2 ** 20) });

  test('takes no turn while the disk is too full, and goes on once it is not', async () => {
    const { machine } = await server();
    want(machine, patch);
    machine.host.free = 2 ** 20;
    const slipway = machine.slipway(undefined, inRoom(machine));
    const report = await live(slipway, machine, 10 * minute);
    expect(condition(report, 'K3sBinary')).toBe('False CopyDeclined');
    expect(condition(report, 'Turns')).toBe('True InSync');
    expect(readTurn(annotationsOf(machine, 'server-1'))).toEqual({});
    machine.host.free = 2 ** 40;
    await live(slipway, machine, 5 * minute);
    expect([release(machine), state(machine)]).toEqual([patch, 'done']);
  });

  test('gives up its turn if the copy fails in it, and tries again ten minutes later', async () => {
    const { machine } = await server();
    want(machine, patch);
    machine.host.free = 2 ** 20;
    const slipway = machine.slipway(undefined, { free: async () => 2 ** 20 });
    const turn = () => readTurn(annotationsOf(machine, 'server-1'));
    const gaveUp = (report: Report) => condition(report, 'K3sBinary') === 'False TurnGivenUp';
    const report = await live(slipway, machine, 8 * minute, gaveUp);
    expect(message(report, 'K3sBinary')).toMatch(/not copied.* The node tries again in its next turn\.$/);
    expect(turn()).toMatchObject({ state: { state: 'gaveUp' }, request: { wish: `upgrade ${patch}` } });
    await live(slipway, machine, minute);
    expect(ledger(machine).slots).toEqual([]);
    expect([release(machine), machine.units.starts]).toEqual([old, 1]);
    machine.host.free = 2 ** 40;
    await live(slipway, machine, 15 * minute);
    expect([release(machine), state(machine)]).toEqual([patch, 'done']);
    expect(ledger(machine).failures).toEqual([]);
  });
});

describe('a new agent', () => {
  test('starts with the release of its server, although its settings want a newer one', async () => {
    const machine = vm('agent', noRestarts);
    machine.fleetRelease = 'v1.36.1+k3s1';
    const report = await live(machine.slipway(), machine, 2 * minute);
    expect([release(machine), machine.units.starts]).toEqual(['v1.36.1+k3s1', 1]);
    expect(condition(report, 'NodeReady')).toBe('True InSync');
    expect(condition(report, 'K3sBinary')).toBe('False VersionDrift');
  });

  test('starts with the release of its server even if it downloaded a newer one before the server answered', async () => {
    const machine = vm('agent', noRestarts);
    const { server } = machine;
    machine.server = undefined;
    const slipway = machine.slipway();
    await live(slipway, machine, minute);
    expect([release(machine), machine.units.starts]).toEqual([old, 0]);
    machine.server = server;
    machine.fleetRelease = 'v1.36.1+k3s1';
    await live(slipway, machine, 2 * minute);
    expect([release(machine), machine.units.starts]).toEqual(['v1.36.1+k3s1', 1]);
  });
});

describe('a release that does not come up', () => {
  test('is given up after K3s ends three times, and the node goes back within the same minor version', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, panic);
    want(machine, patch);
    const report = await live(slipway, machine, 8 * minute, isGivenUp);
    expect([release(machine), state(machine)]).toEqual([old, 'rolledBack']);
    const later = await live(slipway, machine, minute, isReadyAgain);
    expect(condition(later, 'NodeReady')).toBe('True InSync');
    expect(condition(report, 'K3sBinary')).toBe('False VersionGivenUp');
    expect(message(report, 'K3sBinary')).toContain(
      'ended 3 times after its start. Its last words: "panic: nil map"',
    );
  });

  test('is not tried again until the wish changes', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, panic);
    want(machine, patch);
    await live(slipway, machine, 10 * minute);
    const { starts } = machine.units;
    await machine.reboot();
    const again = machine.slipway();
    await live(again, machine, 60 * minute);
    expect([machine.units.starts, release(machine)]).toEqual([starts + 1, old]);
    machine.broken.clear();
    want(machine, patch, ', config: { disable: [traefik] }');
    await live(again, machine, 10 * minute);
    expect([release(machine), state(machine)]).toEqual([patch, 'done']);
  });

  test('is tried once more if its record is unreadable and a person lets the turns continue', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, panic);
    want(machine, patch);
    await live(slipway, machine, 10 * minute);
    machine.host.files.write(record, '{ "format": 2, "wanted": 7 }', 0o600);
    machine.broken.clear();
    await live(slipway, machine, 10 * minute);
    expect(release(machine)).toBe(old);
    continueTurns(machine);
    await live(slipway, machine, 10 * minute);
    expect([release(machine), state(machine)]).toEqual([patch, 'done']);
  });

  test('is no longer reported once the settings want the old version again', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, panic);
    want(machine, patch);
    await live(slipway, machine, 10 * minute);
    want(machine, old);
    const report = await live(slipway, machine, 6 * minute);
    expect(condition(report, 'K3sBinary')).toBe('True InSync');
  });

  test('is given up at its first end if its journal shows that it cannot run here', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, 'Incorrect Usage: flag provided but not defined: -node-name');
    want(machine, patch);
    await live(slipway, machine, 8 * minute, isGivenUp);
    expect([release(machine), state(machine)]).toEqual([old, 'rolledBack']);
    expect(machine.units.starts).toBeLessThanOrEqual(3);
  });

  test('is not given up for a cause that no release would survive', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(patch, 'level=fatal msg="write /var/lib/x: no space left on device"');
    want(machine, patch);
    await live(slipway, machine, 10 * minute);
    expect([release(machine), state(machine)]).toEqual([patch, 'begun']);
    machine.broken.clear();
    await live(slipway, machine, 15 * minute);
    expect(state(machine)).toBe('done');
  });

  test('is kept on a server if it is a new minor version, and the condition names the restore', async () => {
    const { machine, slipway } = await server();
    machine.broken.set(minor, panic);
    want(machine, minor);
    const report = await live(slipway, machine, 10 * minute);
    expect([release(machine), state(machine)]).toEqual([minor, 'gaveUp']);
    expect(condition(report, 'K3sBinary')).toBe('False VersionGivenUp');
    expect(message(report, 'K3sBinary')).toMatch(
      /restore --from \/var\/lib\/slipway\/backup\/state-\w+\.db$/,
    );
    want(machine, 'v1.37.1+k3s1');
    await live(slipway, machine, 15 * minute);
    expect([release(machine), state(machine)]).toEqual(['v1.37.1+k3s1', 'done']);
  });

  test('is rolled back even if Slipway crashes before any of its changes', async () => {
    const through = async (mutation?: number) => {
      const { machine } = await server();
      machine.broken.set(patch, panic);
      want(machine, patch);
      machine.host.restart();
      if (mutation !== undefined) {
        machine.host.crashBefore(mutation);
        await live(machine.slipway(), machine, 8 * minute, isSettled(machine)).catch(onlyCrash);
        expect(machine.host.crashed).toBe(true);
        machine.host.restart();
      }
      const report = await live(machine.slipway(), machine, 10 * minute, isSettled(machine));
      expect([release(machine), state(machine)]).toEqual([old, 'rolledBack']);
      expect(condition(report, 'NodeReady')).toBe('True InSync');
      return machine.host.mutations;
    };
    const mutations = await through();
    for (let mutation = 1; mutation <= mutations; mutation += 1) {
      await through(mutation);
    }
  });
});

/** Lets Slipway live until it runs a command, which has no effect, because Slipway crashes; then starts it anew. */
async function crashedAt(machine: Vm, command: CommandMatcher): Promise<void> {
  const { host } = machine;
  host.once(command, () => {
    host.crashBefore(1);
    return '';
  });
  await live(machine.slipway(), machine, 8 * minute).catch(onlyCrash);
  expect(host.crashed).toBe(true);
  host.restart();
}

/** Does on the Node what a server does after `slipway turn release`, and returns the nonce of the turn. */
function releaseTurn({ kubernetes: { objects } }: Vm, name: string): string | undefined {
  const node = objects.get('nodes', undefined, name);
  const annotations = { ...Object(node?.metadata.annotations) };
  const { grant } = readTurn(annotations);
  if (node === undefined || grant === undefined) {
    throw new Error(`${name} has no turn`);
  }
  annotations[turnKeys.grant] = withdrawnText(grant.nonce);
  objects.put('nodes', undefined, { ...node, metadata: { ...node.metadata, annotations } });
  return grant.nonce;
}

/** Returns the ledger of turns. */
function ledger({ kubernetes: { objects } }: Vm) {
  const lease = objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
  return readLedger(Object(lease?.metadata.annotations)[ledgerKey] ?? '') ?? emptyLedger;
}

/** Orders what `slipway turn continue` orders. */
function continueTurns({ kubernetes: { objects } }: Vm): void {
  const lease = objects.get('leases.coordination.k8s.io', 'kube-system', 'slipway-turns');
  if (lease === undefined) {
    throw new Error('there is no Lease of turns');
  }
  const annotations = { ...Object(lease.metadata.annotations) };
  annotations[ordersKey] = ordersText([{ order: 'continue', about: '' }]);
  const metadata = { ...lease.metadata, annotations };
  objects.put('leases.coordination.k8s.io', 'kube-system', { ...lease, metadata });
}

function isGivenUp(report: Report): boolean {
  return condition(report, 'K3sBinary') === 'False VersionGivenUp';
}

function isReadyAgain(report: Report): boolean {
  return condition(report, 'NodeReady') === 'True InSync';
}

/** Returns a predicate that is true once the VM went back to the old release, and the node is Ready again. */
function isSettled(machine: Vm): (report: Report) => boolean {
  return (report) => release(machine) === old && isGivenUp(report) && isReadyAgain(report);
}

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
