import { describe, expect, test } from 'vitest';
import { actingMemory } from '../../src/agent/acting.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import type { Host, Job } from '../../src/agent/engine/host.ts';
import { renderOwn } from '../../src/agent/engine/own-file.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import type { NodePorts } from '../../src/agent/parts/index.ts';
import { type FreshServer, foundingMemory, judgeCopy, restoreOf } from '../../src/agent/parts/k3s/index.ts';
import { turnMemory } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { freshServer, leftOut } from '../../src/commands/fresh-server.ts';
import { perform } from '../../src/setup/perform.ts';
import { replaceDatastore } from '../../src/setup/restore.ts';
import { restorePlan, restoreSteps } from '../../src/setup/restore-steps.ts';
import { kineSql } from '../lab/memory-databases.ts';
import { Crash, type MemoryHost } from '../lab/memory-host.ts';
import { condition, isReady, live, noRestarts, type Vm, vm } from './a-vm.ts';
import { joinToken } from './world.ts';

const minute = 60_000;
const paths = nodePaths('/');
const file = '/mnt/backup.db';
const digest = sha256(joinToken).slice(0, 12);
const sql = kineSql([`/bootstrap/${digest}`, '/registry/nodes/server-1']);
const held = `${noRestarts}maintenance: { hold: not yet }\n`;
const alone = { peers: [], registration: [], members: [], own: [] };

/** Puts a copy of the lost cluster on the machine; `changes` replaces fields of its manifest. */
function put({ host }: Vm, text: string, changes: object = {}): void {
  const manifest = {
    ...{ datastore: 'sqlite', k3s: 'v1.36.3+k3s1', ca: sha256('the lost CA'), token: digest },
    ...{ bytes: Buffer.byteLength(text), sha256: sha256(text), revision: 2, objects: 1 },
    ...{ madeAt: '2026-11-30T11:00:00Z', reason: 'by schedule' },
    ...changes,
  };
  host.files.write(file, text, 0o600);
  host.files.write(`${file}.json`, renderOwn({ format: 1 }, manifest), 0o600);
}

interface Restorer {
  readonly node: K3sNode;
  readonly ports: NodePorts;
  readonly fresh: FreshServer;
}

/** Returns what the command learns about this VM. */
async function restorer(machine: Vm): Promise<Restorer> {
  const { knowledge } = await machine.slipway().pass();
  const node = knowledge.node.value;
  if (node === undefined) {
    throw new Error('the node is unknown');
  }
  const ports = {
    cloud: machine.cloud,
    memory: 4096,
    turns: turnMemory(),
    acting: actingMemory(),
    founding: { memory: foundingMemory() },
    rotateAt: (receivedAt: number) => receivedAt + 3_600_000,
  };
  return { node, ports, fresh: { datastore: node.settings.k3s.datastore, version: node.version } };
}

/** Returns the Host of a command, which waits for its jobs. */
function waiting(host: MemoryHost): Host {
  return new Proxy<Host>(host, {
    get(_, key) {
      if (key === 'perform') {
        return (_job: Job, work: Parameters<Host['perform']>[1]) => work(new AbortController().signal);
      }
      const value: unknown = Reflect.get(host, key, host);
      return typeof value === 'function' ? value.bind(host) : value;
    },
  });
}

/** Does what the command does on a machine without a cluster, once a person has agreed. Returns what it printed. */
async function restore({ host }: Vm, { node, ports, fresh }: Restorer): Promise<string> {
  const said: string[] = [];
  const tell = { out: (line: string) => said.push(line), error: (line: string) => said.push(line) };
  const isBegun = host.files.stat(paths.slipway.restore) !== undefined;
  if (!isBegun) {
    await judgeCopy(host, paths, file, { fresh });
    expect([await perform(freshServer(node, ports), waiting(host), tell), said.join('\n')]).toEqual([
      true,
      said.join('\n'),
    ]);
  }
  const copy = await judgeCopy(host, paths, file);
  const begun = await restoreOf(host, paths, copy);
  const steps = restoreSteps(paths, copy, begun, alone);
  const { signal } = new AbortController();
  const isDone = await replaceDatastore(host, paths, steps, begun, { tell, interrupted: signal });
  expect([isDone, said.join('\n')]).toEqual([true, said.join('\n')]);
  return said.join('\n');
}

describe('a new VM in place of a lost server, which is held so that it founds nothing', () => {
  test('restores a backup of SQLite in one command, and becomes Ready', async () => {
    const machine = vm('server', held);
    await live(machine.slipway(), machine, 10 * minute);
    put(machine, sql);
    const known = await restorer(machine);
    expect(machine.units.starts).toBe(0);
    expect(machine.host.files.stat(paths.k3s.binary)).toBeUndefined();
    const said = await restore(machine, known);
    expect(said).toContain('The cluster forgets the former VM of server-1');
    expect(machine.units.starts).toBe(1);
    expect(machine.host.files.text(`${paths.k3s.datastore}/state.db`)).toBe(sql);
    const report = await live(machine.slipway(), machine, 10 * minute, isReady);
    expect(condition(report, 'Ready')).toBe('True Held');
    expect(machine.units.starts).toBe(1);
    machine.host.files.write('/etc/slipway/config.d/extra.yaml', noRestarts);
    expect(condition(await live(machine.slipway(), machine, 10 * minute, isReady), 'Ready')).toBe(
      'True InSync',
    );
    await machine.reboot();
    expect(machine.units.starts).toBe(2);
  });

  test('continues after a crash and a reboot before each change', async () => {
    const whole = vm('server', held);
    put(whole, sql);
    const known = await restorer(whole);
    const before = whole.host.mutations;
    await restore(whole, known);
    for (let mutation = 1; mutation <= whole.host.mutations - before; mutation += 3) {
      const machine = vm('server', held);
      const { host } = machine;
      put(machine, sql);
      const known = await restorer(machine);
      host.crashBefore(host.mutations + mutation);
      await expect(restore(machine, known)).rejects.toBeInstanceOf(Crash);
      host.restart();
      await machine.reboot();
      await live(machine.slipway(), machine, minute);
      await restore(machine, known);
      expect(host.files.text(`${paths.k3s.datastore}/state.db`)).toBe(sql);
      expect(host.files.stat(paths.slipway.restore)).toBeUndefined();
      expect(condition(await live(machine.slipway(), machine, 10 * minute, isReady), 'Ready')).toBe(
        'True Held',
      );
    }
  });

  test('prints a plan that says what it installs, and changes nothing', async () => {
    const machine = vm('server', held);
    put(machine, sql);
    const { fresh } = await restorer(machine);
    const before = machine.host.mutations;
    const copy = await judgeCopy(machine.host, paths, file, { fresh });
    const begun = await restoreOf(machine.host, paths, copy);
    const plan = restorePlan(machine.host, copy, restoreSteps(paths, copy, begun, alone));
    expect(plan).toContain(
      '  install K3s v1.36.3+k3s1, its configuration and the join token, as the daemon does',
    );
    expect(machine.host.mutations).toBe(before);
  });

  test.each([
    ['of a newer K3s', { k3s: 'v1.37.0+k3s1' }, /Set k3s\.version: v1\.37\.0\+k3s1/],
    ['of another kind of datastore', { datastore: 'etcd' }, /Set k3s\.datastore: etcd/],
  ])('refuses a copy %s before it installs anything', async (_, changes, message) => {
    const machine = vm('server', held);
    put(machine, sql, changes);
    const { fresh } = await restorer(machine);
    await expect(judgeCopy(machine.host, paths, file, { fresh })).rejects.toMatchObject({
      reason: 'RestoreRefused',
      message: expect.stringMatching(message),
    });
  });

  test('refuses a copy of another token once the token was fetched, and K3s does not start', async () => {
    const machine = vm('server', held);
    put(machine, sql, { token: '0123456789ab' });
    await expect(restore(machine, await restorer(machine))).rejects.toMatchObject({
      reason: 'RestoreRefused',
    });
    expect(machine.units.starts).toBe(0);
  });

  test('is refused on an agent', async () => {
    const machine = vm('agent', held);
    const { node, ports } = await restorer(machine);
    expect(() => freshServer(node, ports)).toThrow(/role agent/);
  });
});

test('a new VM with etcd gets the configuration of a first server, and waits for no other one', async () => {
  const machine = vm('server', `${held}k3s: { datastore: etcd, peers: [10.0.0.9] }\n`);
  const { node, ports } = await restorer(machine);
  const resources = freshServer(node, ports);
  const said: string[] = [];
  const tell = { out: () => {}, error: (line: string) => said.push(line) };
  expect([await perform(resources, waiting(machine.host), tell), said]).toEqual([true, []]);
  expect(machine.host.files.text(paths.k3s.config)).toContain('cluster-init: true');
  expect(machine.host.files.text('/etc/systemd/system/k3s.service')).toContain('AssertPathExists=');
  expect(machine.units.starts).toBe(0);
  expect(resources.map(({ id }) => id).filter((id) => leftOut.includes(id))).toEqual([]);
});
