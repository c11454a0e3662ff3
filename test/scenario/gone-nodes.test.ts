import { describe, expect, test } from 'vitest';
import { shortDigest } from '../../src/agent/engine/digest.ts';
import type { Finding } from '../../src/agent/engine/resource.ts';
import { forgettable, goneNodes, turnMemory } from '../../src/agent/parts/maintenance/index.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { type TurnsWorld, turnsWorld } from './turns-world.ts';

const minute = 60_000;
const paths = nodePaths('/');
const settings = { concurrency: '10%', maxFailed: 1, pause: false, watchFor: 60_000 };
const vm = 'aaaa-1111';
const named = `agent-2@${shortDigest(vm)}`;

interface Cluster {
  readonly world: TurnsWorld;
  readonly host: MemoryHost;
  /** Runs the server's check now and after each of `minutes` minutes, and its remedies; returns the last finding. */
  watch(minutes: number, consented?: readonly string[]): Promise<Finding>;
  /** Returns the names of the Nodes, and of the Secrets with their passwords. */
  left(): readonly string[];
}

/** A cluster of a server, and two agents of which the second is not Ready. */
function aCluster(): Cluster {
  const world = turnsWorld();
  const { host } = world.holder('server-1');
  world.node('server-1');
  world.node('agent-1');
  world.node('agent-2', { ready: 'Unknown', vmId: vm });
  for (const name of ['agent-1', 'agent-2']) {
    world.api.objects.put('secrets', 'kube-system', {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `${name}.node-password.k3s`, namespace: 'kube-system' },
    });
  }
  const memory = turnMemory();
  return {
    world,
    host,
    async watch(minutes, rebuiltNodes = []) {
      const node = { ...aNode('server', { settings: { consent: { rebuiltNodes } } }), name: 'server-1' };
      for (let at = 0; ; at += 1) {
        const finding = await goneNodes(node, memory).check(host);
        if (finding.state === 'Drifted') {
          await finding.drift.remedy(host);
        }
        if (at === minutes) {
          return finding;
        }
        host.advance(minute);
      }
    },
    left: () => [
      ...world.api.objects.list('nodes').map(({ metadata }) => String(metadata.name)),
      ...world.api.objects.list('secrets', 'kube-system').map(({ metadata }) => String(metadata.name)),
    ],
  };
}

const all = ['agent-1', 'agent-2', 'server-1', 'agent-1.node-password.k3s', 'agent-2.node-password.k3s'];
const rest = ['agent-1', 'server-1', 'agent-1.node-password.k3s'];

describe('a node that is not Ready', () => {
  test('is reported after ten minutes, with the command and the consent', async () => {
    const { watch, left } = aCluster();
    expect(await watch(9)).toMatchObject({ state: 'InSync' });
    const finding = await watch(1);
    expect(finding).toMatchObject({ state: 'Waiting', reason: 'NodeAway', isExpected: true });
    const { message } = finding.state === 'Waiting' ? finding : { message: '' };
    expect(message).toContain(`agent-2 (VM ${vm})`);
    expect(message).toContain('slipway node forget agent-2');
    expect(message).toContain(`consent: { rebuiltNodes: [${named}] }`);
    expect(left()).toEqual(all);
  });

  test.each([
    ['it by its name', ['agent-2']],
    ['it with its VM', [named]],
  ])('is removed with its password after ten minutes if the consent names %s', async (_, consented) => {
    const { watch, left } = aCluster();
    await watch(9, consented);
    expect(left()).toEqual(all);
    await watch(1, consented);
    expect(left()).toEqual(rest);
    expect(await watch(20, consented)).toMatchObject({ state: 'InSync' });
  });

  test.each([
    ['agent-1'],
    [`agent-2@${shortDigest('bbbb-2222')}`],
    ['agent-2@'],
    [`agent-1@${shortDigest(vm)}`],
  ])('stays if the consent names %s', async (name) => {
    const { watch, left } = aCluster();
    await watch(30, [name]);
    expect(left()).toEqual(all);
  });

  test('stays if it was Ready again during the ten minutes', async () => {
    const { watch, left, world } = aCluster();
    await watch(5, ['agent-2']);
    world.node('agent-2', { vmId: vm });
    await watch(0, ['agent-2']);
    world.node('agent-2', { ready: 'Unknown', vmId: vm });
    await watch(9, ['agent-2']);
    expect(left()).toEqual(all);
  });

  test('stays while its kubelet reports that it is not Ready', async () => {
    const { watch, left, world } = aCluster();
    world.node('agent-2', { ready: 'False', vmId: vm });
    expect(await watch(30, ['agent-2', named])).toMatchObject({ state: 'InSync' });
    expect(left()).toEqual(all);
  });

  test('stays after an outage of the API in which the server did not see whether it reports', async () => {
    const { watch, left, host } = aCluster();
    await watch(1, [named]);
    host.advance(10 * minute);
    await watch(9, [named]);
    expect(left()).toEqual(all);
    await watch(1, [named]);
    expect(left()).toEqual(rest);
  });

  test('stays, and is reported, while it is in its turn', async () => {
    const { watch, left, world } = aCluster();
    world.ask('agent-2');
    world.node('agent-2', { vmId: vm });
    const holder = world.holder('server-1');
    for (let pass = 0; pass < 3; pass += 1) {
      await holder.pass();
    }
    expect(world.begin('agent-2')).toBe(true);
    world.node('agent-2', { ready: 'Unknown', vmId: vm });
    const finding = await watch(30, ['agent-2']);
    expect(finding).toMatchObject({ reason: 'NodeKept', endedBy: 'person', blocks: false });
    expect(left()).toEqual(all);
  });

  test('stays if it is a server', async () => {
    const { watch, left, world } = aCluster();
    world.node('server-1', { ready: 'Unknown' });
    expect(await watch(30, ['server-1'])).toMatchObject({ reason: 'NodeKept' });
    expect(left()).toEqual(all);
  });

  test('stays if it changes between the check and the removal', async () => {
    const { host, left, world } = aCluster();
    const node = aNode('server', { settings: { consent: { rebuiltNodes: ['agent-2'] } } });
    const memory = turnMemory();
    let finding = await goneNodes(node, memory).check(host);
    for (let at = 0; at < 10; at += 1) {
      host.advance(minute);
      finding = await goneNodes(node, memory).check(host);
    }
    world.node('agent-2', { vmId: vm });
    const remedy = finding.state === 'Drifted' ? finding.drift.remedy(host) : undefined;
    await expect(remedy).rejects.toMatchObject({ reason: 'ApiConflict' });
    expect(left()).toEqual(all);
  });
});

describe('slipway node forget', () => {
  const forget = async ({ host }: Cluster, name: string) => {
    const found = await forgettable(host, paths, settings, name);
    await found.forget(host);
    return found.shown;
  };

  test('removes a node that is not Ready, with its password, at once', async () => {
    const cluster = aCluster();
    expect(await forget(cluster, 'agent-2')).toBe(`agent-2 (VM ${vm})`);
    expect(cluster.left()).toEqual(rest);
  });

  test('refuses a node whose kubelet reports that it is not Ready, and names the command for that node', async () => {
    const cluster = aCluster();
    cluster.world.node('agent-2', { ready: 'False', vmId: vm });
    await expect(forget(cluster, 'agent-2')).rejects.toMatchObject({
      reason: 'NodeKept',
      message: expect.stringMatching(
        /^agent-2 is running, although not Ready, so its Node stays\. .* slipway leave/,
      ),
    });
    expect(cluster.left()).toEqual(all);
  });

  test.each([
    ['agent-1', /agent-1 is Ready, so its Node stays\. .* slipway leave/],
    ['server-1', /server-1 is a server, so its Node stays\.$/],
    ['agent-3', /no Node agent-3\. It has: agent-1, agent-2, server-1\./],
  ])('refuses %s', async (name, message) => {
    const cluster = aCluster();
    await expect(forget(cluster, name)).rejects.toMatchObject({
      reason: 'NodeKept',
      message: expect.stringMatching(message),
    });
    expect(cluster.left()).toEqual(all);
  });

  test('refuses a node in its turn, and names the command that frees the turn', async () => {
    const cluster = aCluster();
    const { world } = cluster;
    world.node('agent-2', { vmId: vm });
    world.ask('agent-2');
    const holder = world.holder('server-1');
    for (let pass = 0; pass < 3; pass += 1) {
      await holder.pass();
    }
    world.node('agent-2', { ready: 'Unknown', vmId: vm });
    await expect(forget(cluster, 'agent-2')).rejects.toThrow(/slipway turn release agent-2/);
    expect(cluster.left()).toEqual(all);
  });

  test('refuses to run on an agent', async () => {
    await expect(forgettable(memoryHost(), paths, settings, 'agent-2')).rejects.toMatchObject({
      reason: 'ApiUnavailable',
    });
  });
});
