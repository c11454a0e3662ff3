import { expect, test } from 'vitest';
import type { HostReader } from '../../src/agent/engine/host.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import { inSync, type Resource, step } from '../../src/agent/engine/resource.ts';
import { patchObject } from '../../src/agent/kubernetes/api.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import { kubeletAccess } from '../../src/agent/node-access.ts';
import { nodePath } from '../../src/agent/parts/k3s/index.ts';
import {
  cordonReturned,
  cordonStep,
  drainStep,
  uncordonStep,
} from '../../src/agent/parts/maintenance/index.ts';
import { kernelClock } from '../lab/kernel-clock.ts';
import type { MemoryApi } from '../lab/memory-api.ts';
import { Crash, type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { aCluster, putNode } from '../unit/agent/a-cluster.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { podsOn, putBudget, putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';

const turnState = 'slipway.dev/turn-state';
const nonce = 'abcdef012345';
const minute = 60_000;

/** A node with pods, whose wish for an interruption is in a file. */
interface World {
  readonly host: MemoryHost;
  readonly api: MemoryApi;
  readonly kernel: ReturnType<typeof kernelClock>;
  readonly node: K3sNode;
}

type Ending =
  | 'all pods end'
  | 'a budget never allows an eviction'
  | 'a pod never ends'
  | 'a person has cordoned the node';

const endings: readonly Ending[] = [
  'all pods end',
  'a budget never allows an eviction',
  'a pod never ends',
  'a person has cordoned the node',
];

function world(ending: Ending): World {
  const host = memoryHost({ files: { '/wish': 'new', '/applied': 'old' } });
  const kernel = kernelClock(host);
  const api = aCluster(host);
  putNode(api, {
    spec: { taints: [], ...(ending === 'a person has cordoned the node' && { unschedulable: true }) },
  });
  putPod(api, 'web', { labels: { app: 'web' } });
  putPod(api, 'proxy', { owner: 'DaemonSet' });
  if (ending === 'a budget never allows an eviction') {
    putBudget(api, 'web', 'web', 1);
  }
  if (ending === 'a pod never ends') {
    putPod(api, 'stuck', { annotations: { 'standin/ends-after': 'never' } });
  }
  host.advance(1_000);
  const { drain } = aNode('agent').settings.maintenance;
  const settings = { maintenance: { drain: { ...drain, timeout: '1m' } } };
  return { host, api, kernel, node: aNode('agent', { settings }) };
}

/** The smallest turn: it begins, cordons, drains, changes something, and ends. */
function turn(node: K3sNode): Resource {
  const say = (state: string) =>
    step({ field: turnState, observed: undefined, desired: state }, async (host) => {
      const told = { nonce, digest: nonce, wish: 'restart', state, message: '' };
      const metadata = { annotations: { [turnState]: JSON.stringify(told) } };
      await patchObject(host, await kubeletAccess(host, node), nodePath(node), { metadata });
    });
  return {
    id: 'Service/k3s',
    summary: 'apply the wish',
    condition: 'K3sRunning',
    async check(host) {
      const state = await stateOf(host, node);
      if ((await text(host, '/wish')) === (await text(host, '/applied'))) {
        return state === 'begun' ? ((await uncordonStep(host, node)) ?? say('done')) : inSync();
      }
      if (state === 'gaveUp') {
        return inSync();
      }
      if (state !== 'begun') {
        return say('begun');
      }
      const next =
        (await cordonStep(host, node, 'restart')) ??
        (await drainStep(host, node, { turn: nonce, nowhere: false }));
      if (next?.state === 'GaveUp') {
        return say('gaveUp');
      }
      const change = { field: 'wish', observed: 'old', desired: 'new' };
      return next ?? step(change, (writer) => writer.writeFile('/applied', 'new', { mode: 0o644 }));
    },
  };
}

async function stateOf(host: HostReader, node: K3sNode): Promise<string | undefined> {
  const { server, trust } = await kubeletAccess(host, node);
  const { body } = await host.get({ url: `${server}${nodePath(node)}`, trust });
  return JSON.parse(JSON.parse(body).metadata.annotations?.[turnState] ?? '{}').state;
}

async function text(host: HostReader, path: string): Promise<string | undefined> {
  return (await host.readFile(path))?.content;
}

/** Makes passes as the daemon does, for three minutes or until everything is in sync. */
async function live({ host, node }: World): Promise<void> {
  const attempts: Attempts = new Map();
  const plan = [turn(node), cordonReturned(node, [])];
  const end = host.now() + 3 * minute;
  while (host.now() < end) {
    const outcomes = await reconcile(plan, { host, attempts, random: 0.5 });
    const failed = outcomes.find(({ state }) => state === 'Failed');
    expect(failed).toBeUndefined();
    if (outcomes.every(({ state }) => state === 'InSync')) {
      return;
    }
    const next = outcomes.flatMap((each) => ('lookAgainAt' in each ? [each.lookAgainAt] : []));
    const isChanged = outcomes.some(({ state }) => state === 'Changed');
    host.advance(isChanged ? 10 : Math.max(10, Math.min(30_000, ...next.map((at) => at - host.now()))));
  }
}

function cordonOf({ api }: World) {
  const found = api.objects.get('nodes', undefined, 'vm-1');
  const annotations = Object(found?.metadata.annotations);
  return { isCordoned: Object(found?.spec).unschedulable === true, mark: annotations['slipway.dev/cordon'] };
}

/** Checks the promises of a turn that has ended. */
function judge(made: World, ending: Ending): void {
  const isOfPerson = ending === 'a person has cordoned the node';
  expect(cordonOf(made)).toEqual({ isCordoned: isOfPerson, mark: undefined });
  const isDone = isOfPerson || ending === 'all pods end';
  expect(made.host.files.text('/applied')).toBe(isDone ? 'new' : 'old');
  const left = {
    'a budget never allows an eviction': ['proxy', 'web'],
    'a pod never ends': ['proxy', '-stuck'],
  };
  expect(podsOn(made.api)).toEqual(ending in left ? left[ending as keyof typeof left] : ['proxy']);
}

test.each(endings)('a turn ends without a cordon of Slipway if %s', async (ending) => {
  const made = world(ending);
  await live(made);
  judge(made, ending);
});

test.each(endings)(
  'a crash or reboot before any change leaves no cordon of Slipway if %s',
  async (ending) => {
    const whole = world(ending);
    await live(whole);
    const { mutations } = whole.host;
    expect(mutations).toBeGreaterThan(5);
    for (const ends of ['restart', 'reboot'] as const) {
      for (let at = 1; at <= Math.min(mutations, 12); at += 1) {
        const made = world(ending);
        made.host.crashBefore(at);
        await live(made).catch(onlyCrash);
        expect(made.host.crashed).toBe(true);
        made.host.restart();
        if (ends === 'reboot') {
          made.kernel.reboot();
        }
        await live(made);
        judge(made, ending);
      }
    }
  },
);

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}

test('a node whose daemon crashed after the cordon is uncordoned once the wish is withdrawn', async () => {
  const made = world('a budget never allows an eviction');
  made.host.crashBefore(4);
  await live(made).catch(onlyCrash);
  made.host.restart();
  expect(cordonOf(made).isCordoned).toBe(true);
  made.host.files.write('/wish', 'old');
  await live(made);
  expect(cordonOf(made)).toEqual({ isCordoned: false, mark: undefined });
});
