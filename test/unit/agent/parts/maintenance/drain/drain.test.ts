import { beforeEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { isMet } from '../../../../../../src/agent/engine/is-met.ts';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import {
  type DrainOptions,
  drainStep,
  type GaveUp,
} from '../../../../../../src/agent/parts/maintenance/drain/drain.ts';
import { type KernelClock, kernelClock } from '../../../../../lab/kernel-clock.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster } from '../../../a-cluster.ts';
import { aNode } from '../../../a-node.ts';
import { podsOn, putBudget, putPod } from './some-pods.ts';

const turn = { turn: 'nonce-1', nowhere: false };
const web = { labels: { app: 'web' } };
const file = '/run/slipway/drain.json';

let host: MemoryHost;
let kernel: KernelClock;
let api: MemoryApi;

beforeEach(() => {
  host = memoryHost();
  kernel = kernelClock(host);
  api = aCluster(host);
});

type Drain = K3sNode['settings']['maintenance']['drain'];

function nodeWith(drain: Partial<Record<keyof Drain, string>> = {}): K3sNode {
  const { drain: usual } = aNode('agent').settings.maintenance;
  return aNode('agent', { settings: { maintenance: { drain: { ...usual, timeout: '10m', ...drain } } } });
}

type Found = Finding | GaveUp | undefined;

/** Returns what a look found: the summary of a step, or the reason and message of a wait. */
function told(found: Found): string {
  switch (found?.state) {
    case undefined:
      return 'go on';
    case 'GaveUp':
      return `gave up: ${found.message}`;
    case 'Drifted':
      return found.drift.summary ?? '';
    case 'Waiting':
      return `${found.reason}: ${found.message}`;
    case 'InSync':
      return 'in sync';
  }
}

interface Story {
  readonly lines: readonly string[];
  /** The seconds from the first look to the end. */
  readonly seconds: number;
}

/**
 * Drains as the daemon does, until the drain ends or 2,000 looks are over, and checks that no step blocks a dependant.
 * Leaves out a line that repeats the last one.
 */
async function drained(node: K3sNode, options: DrainOptions = turn): Promise<Story> {
  const lines: string[] = [];
  const start = host.now();
  for (let looks = 0; looks < 2_000; looks += 1) {
    const found = await drainStep(host, node, options);
    const line = told(found);
    if (line !== lines.at(-1)) {
      lines.push(line);
    }
    expect(found === undefined || found.state === 'GaveUp' || isMet(found)).toBe(true);
    if (found === undefined || found.state === 'GaveUp') {
      return { lines, seconds: (host.now() - start) / 1_000 };
    }
    if (found.state === 'Drifted') {
      await found.drift.remedy(host);
    }
    host.advance(found.state === 'Waiting' ? (found.after ?? 5_000) : 10);
  }
  throw new Error(`the drain does not end: ${lines.join('\n')}`);
}

/** Returns the paths of the evictions and deletions so far. */
function sent(): readonly string[] {
  return host
    .lines()
    .flatMap((line) => /(POST|DELETE) \S+\/(pods\/\S+)/.exec(line)?.slice(1, 3).join(' ') ?? []);
}

test('a drain evicts all pods that may go, and ends once they have ended', async () => {
  putPod(api, 'one');
  putPod(api, 'two', { namespace: 'kube-system', owner: 'StatefulSet' });
  putPod(api, 'agent', { owner: 'DaemonSet' });
  const { lines, seconds } = await drained(nodeWith());
  expect(lines).toEqual([
    'drain vm-1: evict 2 pods',
    'Draining: vm-1 waits for 2 pods: default/one (is ending), kube-system/two (is ending). After 10 minutes, the drain is given up (maintenance.drain).',
    'end the drain of vm-1: no pod is left to evict',
    'go on',
  ]);
  expect(seconds).toBeLessThan(5);
  expect(podsOn(api)).toEqual(['agent']);
  expect(sent()).toEqual(['POST pods/one/eviction', 'POST pods/two/eviction']);
});

test('a drain evicts nothing if no other node can run the pods', async () => {
  putPod(api, 'one');
  expect(await drained(nodeWith(), { ...turn, nowhere: true })).toEqual({ lines: ['go on'], seconds: 0 });
  expect(podsOn(api)).toEqual(['one']);
  expect(host.looks).toEqual([]);
});

test('a drain that has ended does not need the API again in the same turn', async () => {
  await drained(nodeWith());
  api.isUp = () => false;
  expect(told(await drainStep(host, nodeWith(), turn))).toBe('go on');
  await expect(drainStep(host, nodeWith(), { ...turn, turn: 'nonce-2' })).rejects.toMatchObject({
    reason: 'ApiUnavailable',
  });
});

test('a drain first lists the local volumes of its pods, and the pods that stay', async () => {
  const claim = (name: string, volumeName: string) =>
    api.objects.put('persistentvolumeclaims', 'default', {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name, namespace: 'default' },
      spec: { volumeName },
    });
  const volume = (name: string, spec: object) =>
    api.objects.put('persistentvolumes', undefined, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name },
      spec,
    });
  claim('data', 'pvc-1');
  volume('pvc-1', { hostPath: { path: '/var/lib/rancher/k3s/storage/pvc-1' } });
  claim('remote', 'pvc-2');
  volume('pvc-2', { csi: { driver: 'disk.csi.azure.com' } });
  claim('disk', 'pvc-3');
  volume('pvc-3', { local: { path: '/mnt/disk' } });
  const mounts = ['data', 'remote', 'disk', 'missing'].map((claimName) => ({
    name: claimName,
    persistentVolumeClaim: { claimName },
  }));
  putPod(api, 'db', { owner: 'StatefulSet', volumes: [...mounts, { name: 'tmp', emptyDir: {} }] });
  putPod(api, 'bare', { owner: undefined });
  const node = nodeWith({ emptyDir: 'evict' });
  const found = await drainStep(host, node, turn);
  expect(found).toMatchObject({
    drift: {
      summary: 'drain vm-1: evict 1 pod, and leave 1 pod (default/bare: it has no controller)',
      changes: [
        { field: 'pods', observed: 'default/db', desired: 'evicted' },
        {
          field: 'default/db data',
          observed: 'on this node',
          desired: 'out of reach until the pod is back on this node',
        },
        {
          field: 'default/db disk',
          observed: 'on this node',
          desired: 'out of reach until the pod is back on this node',
        },
        { field: 'default/db tmp', observed: 'on this node', desired: 'deleted' },
      ],
    },
  });
  await drained(node);
  expect(podsOn(api)).toEqual(['bare']);
});

describe('a drain with a budget that never allows an eviction', () => {
  const budget = 'The disruption budget web needs 1 healthy pods and has 1 currently.';

  beforeEach(() => {
    putPod(api, 'web', web);
    putPod(api, 'other');
    putBudget(api, 'web', 'web', 1);
    host.advance(1_000);
  });

  test('gives up at the time limit, and names pod and budget', async () => {
    const { lines, seconds } = await drained(nodeWith());
    expect(lines).toContain(
      `EvictionRefused: vm-1 waits for 1 pod: default/web (${budget}). After 10 minutes, the drain is given up (maintenance.drain).`,
    );
    expect(lines.at(-1)).toMatch(/^gave up: Slipway gave up draining vm-1 after 10 minutes at most/);
    expect(lines.at(-1)).toContain(`Left: default/web (${budget})`);
    expect(seconds).toBeGreaterThanOrEqual(600);
    expect(seconds).toBeLessThan(603);
    expect(podsOn(api)).toEqual(['web']);
  });

  test('asks again about every five seconds', async () => {
    await drained(nodeWith());
    const asked = sent().filter((each) => each === 'POST pods/web/eviction').length;
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThanOrEqual(120);
  });

  test('ends soon after the budget allows the eviction', async () => {
    host.at(host.now() + 60_000, () => putBudget(api, 'web', 'web', 0));
    const { lines, seconds } = await drained(nodeWith());
    expect(lines.at(-1)).toBe('go on');
    expect(seconds).toBeLessThan(75);
    expect(JSON.parse(host.files.text(file) ?? '').refused).toEqual({});
  });

  test('ends with the pod left if onTimeout is proceed', async () => {
    const { lines, seconds } = await drained(nodeWith({ onTimeout: 'proceed', timeout: '1m' }));
    expect(lines.at(-2)).toBe(`end the drain of vm-1 with pods left: default/web (${budget})`);
    expect(lines.at(-1)).toBe('go on');
    expect(seconds).toBeLessThan(63);
    expect(podsOn(api)).toEqual(['web']);
  });

  test('deletes the pod if onTimeout is force, but only after the time limit', async () => {
    const { lines, seconds } = await drained(nodeWith({ onTimeout: 'force', timeout: '1m' }));
    expect(lines).toContain(
      'delete 1 pod despite their disruption budgets (maintenance.drain.onTimeout: force)',
    );
    expect(lines.at(-1)).toBe('go on');
    expect(seconds).toBeGreaterThanOrEqual(60);
    expect(podsOn(api)).toEqual([]);
    expect(sent().filter((each) => each.startsWith('DELETE'))).toEqual(['DELETE pods/web']);
  });

  test('never deletes a pod if onTimeout is not force', async () => {
    await drained(nodeWith());
    await drained(nodeWith({ onTimeout: 'proceed' }), { ...turn, turn: 'nonce-2' });
    expect(sent().filter((each) => each.startsWith('DELETE'))).toEqual([]);
  });

  test('does not reset the time limit when the daemon restarts or the clock is set', async () => {
    const begun = await drainStep(host, nodeWith(), turn);
    await (begun?.state === 'Drifted' && begun.drift.remedy(host));
    host.setClock(host.now() - 3_600_000);
    host.restart();
    host.advance(599_000);
    expect((await drained(nodeWith())).seconds).toBeLessThan(3);
  });

  test('begins anew after a reboot, and in another turn', async () => {
    await drained(nodeWith());
    expect(told(await drainStep(host, nodeWith(), { ...turn, turn: 'nonce-2' }))).toBe(
      'drain vm-1: evict 1 pod',
    );
    const record = host.files.text(file) ?? '';
    kernel.reboot();
    host.files.write(file, record);
    expect(told(await drainStep(host, nodeWith(), turn))).toBe('drain vm-1: evict 1 pod');
  });

  test('stays given up in the same turn, even if the budget is removed', async () => {
    const { lines } = await drained(nodeWith());
    api.objects.remove('poddisruptionbudgets.policy', 'default', 'web');
    expect(told(await drainStep(host, nodeWith(), turn))).toBe(lines.at(-1));
  });
});

test('a caller can set a time limit and an onTimeout of its own', async () => {
  putPod(api, 'web', web);
  putBudget(api, 'web', 'web', 1);
  host.advance(1_000);
  const limit = { timeout: 20_000, onTimeout: 'proceed' } as const;
  const { lines, seconds } = await drained(nodeWith(), { ...turn, limit });
  expect(lines.at(-1)).toBe('go on');
  expect(seconds).toBeLessThan(22);
});

test('a drain with a pod that never ends is over at the time limit', async () => {
  putPod(api, 'stuck', { annotations: { 'standin/ends-after': 'never' } });
  const { lines, seconds } = await drained(nodeWith());
  expect(lines.at(-1)).toContain('Left: default/stuck (is ending).');
  expect(seconds).toBeLessThan(603);
});

test('a pod that never ends does not stop a drain with force', async () => {
  putPod(api, 'stuck', { annotations: { 'standin/ends-after': 'never' }, grace: 10 });
  const { lines, seconds } = await drained(nodeWith({ onTimeout: 'force', timeout: '2m' }));
  expect(lines.at(-1)).toBe('go on');
  expect(seconds).toBeLessThan(165);
});

test('a drain waits for the grace period of a pod', async () => {
  putPod(api, 'slow', { annotations: { 'standin/ends-after': '90' }, grace: 120 });
  const { lines, seconds } = await drained(nodeWith());
  expect(lines.at(-1)).toBe('go on');
  expect(seconds).toBeGreaterThanOrEqual(90);
  expect(seconds).toBeLessThan(95);
  expect(sent()).toEqual(['POST pods/slow/eviction']);
});

test('a drain gives up early, and asks only once, if a pod has two budgets', async () => {
  putPod(api, 'web', web);
  putBudget(api, 'one', 'web', 0);
  putBudget(api, 'two', 'web', 0);
  host.advance(1_000);
  const { lines, seconds } = await drained(nodeWith());
  expect(lines.at(-1)).toContain('This pod has more than one PodDisruptionBudget');
  expect(seconds).toBeLessThan(10);
  expect(sent()).toEqual(['POST pods/web/eviction']);
});

test('a drain evicts a pod that replaces one with two budgets', async () => {
  putPod(api, 'web', web);
  putPod(api, 'slow', { annotations: { 'standin/ends-after': '20' } });
  putBudget(api, 'one', 'web', 0);
  putBudget(api, 'two', 'web', 0);
  host.advance(1_000);
  host.at(host.now() + 10_000, () => {
    api.objects.remove('pods', 'default', 'web');
    putPod(api, 'web');
  });
  const { lines } = await drained(nodeWith());
  expect(lines.at(-1)).toBe('go on');
});

test.each(['giveUp', 'proceed', 'force'])(
  'a drain with onTimeout %s ends although the API no longer answers',
  async (onTimeout) => {
    putPod(api, 'one', { annotations: { 'standin/ends-after': 'never' } });
    const node = nodeWith({ onTimeout });
    const found = await drainStep(host, node, turn);
    await (found?.state === 'Drifted' && found.drift.remedy(host));
    api.isUp = () => false;
    await expect(drainStep(host, node, turn)).rejects.toMatchObject({ reason: 'ApiUnavailable' });
    host.advance(600_000);
    const { lines } = await drained(node);
    expect(lines.at(-1)).toMatch(onTimeout === 'giveUp' ? /^gave up: .*does not answer/ : /^go on$/);
  },
);

test('a drain ends although the API answers no eviction', async () => {
  putPod(api, 'one');
  host.onRequest({ method: 'POST', url: /eviction$/ }, new NodeError('TimedOut', 'no answer'));
  const node = nodeWith({ timeout: '1m' });
  for (let attempt = 0; attempt < 12; attempt += 1) {
    const found = await drainStep(host, node, turn);
    await expect(found?.state === 'Drifted' && found.drift.remedy(host)).rejects.toMatchObject({
      reason: 'ApiUnavailable',
    });
    host.advance(5_000);
  }
  expect((await drained(node)).lines.at(-1)).toContain('Left: default/one.');
});

test('a crash at any point prolongs the drain only by the time of the restart', async () => {
  for (let at = 1; at <= 7; at += 1) {
    host = memoryHost();
    kernel = kernelClock(host);
    api = aCluster(host);
    putPod(api, 'web', web);
    putPod(api, 'other');
    putBudget(api, 'web', 'web', 1);
    host.advance(1_000);
    const start = host.now();
    host.crashBefore(at);
    const node = nodeWith({ timeout: '1m' });
    await drained(node).catch(() => undefined);
    host.restart();
    const { lines } = await drained(node);
    expect([at, lines.at(-1)]).toEqual([at, expect.stringContaining('gave up')]);
    expect(host.now() - start).toBeLessThan(70_000);
  }
});

test.each(['', '{}', 'x', '{"format":9,"turn":"nonce-1"}'])(
  'a drain with a damaged record begins anew (%#)',
  async (text) => {
    putPod(api, 'one');
    host.files.write(file, text);
    expect((await drained(nodeWith())).lines.at(0)).toBe('drain vm-1: evict 1 pod');
  },
);
