import { expect, test } from 'vitest';
import { scheduledEvents as azureEvents } from '../../src/agent/clouds/azure/scheduled-events.ts';
import { type Attempts, reconcile } from '../../src/agent/engine/reconcile.ts';
import type { Resource } from '../../src/agent/engine/resource.ts';
import {
  cordonReturned,
  eventMemory,
  keepsCordon,
  lookForEvents,
  type NodeEvents,
  scheduledEvents,
} from '../../src/agent/parts/maintenance/index.ts';
import type { Announcement, ScheduledEvents } from '../lab/azure/scheduled-events.ts';
import { kernelClock } from '../lab/kernel-clock.ts';
import type { MemoryApi } from '../lab/memory-api.ts';
import { metadataUrl, serveEvents } from '../lab/memory-events.ts';
import { Crash, type MemoryHost, memoryHost } from '../lab/memory-host.ts';
import { aCluster, putNode } from '../unit/agent/a-cluster.ts';
import { aNode } from '../unit/agent/a-node.ts';
import { podsOn, putBudget, putPod } from '../unit/agent/parts/maintenance/drain/some-pods.ts';

const minute = 60_000;

interface World {
  readonly host: MemoryHost;
  readonly api: MemoryApi;
  readonly azure: ScheduledEvents;
  readonly kernel: ReturnType<typeof kernelClock>;
  /** Whether the node had a cordon of Slipway while the event was not over. */
  wasCordoned: boolean;
}

/** The time from the announcement of an event to its end; a drain ends after two minutes, except before Preempt. */
const lasts = { Freeze: 0, Reboot: 4 * minute, Redeploy: 4 * minute, Preempt: minute, Terminate: 4 * minute };

const types: readonly Announcement['type'][] = ['Reboot', 'Redeploy', 'Preempt', 'Terminate'];

/** A node with pods, one of them with a budget that never allows an eviction, and an event. */
function world(type: Announcement['type']): World {
  const host = memoryHost();
  const kernel = kernelClock(host);
  const api = aCluster(host);
  putNode(api, { spec: { taints: [] } });
  putPod(api, 'web', { labels: { app: 'web' } });
  putPod(api, 'other');
  putPod(api, 'proxy', { owner: 'DaemonSet' });
  putBudget(api, 'web', 'web', 1);
  const { azure } = serveEvents(host, { name: 'vm-1', priority: type === 'Preempt' ? 'Spot' : '' });
  host.advance(1_000);
  const id = azure.announce({ type, vms: ['vm-1'] });
  host.at(host.now() + lasts[type], () => azure.end(id));
  return { host, api, azure, kernel, wasCordoned: false };
}

function eventsOf({ host }: World): NodeEvents {
  const { drain } = aNode('agent').settings.maintenance;
  const settings = { maintenance: { scheduledEvents: 'drain', drain: { ...drain, timeout: '2m' } } };
  const memory = { ...eventMemory(), isWatched: true };
  return { node: aNode('agent', { settings }), cloud: azureEvents(host, metadataUrl), memory };
}

/** Makes passes as the daemon does until a time, and asks for events every 10 s, or every second on a Spot VM. */
async function live(made: World, until: number): Promise<void> {
  const { host } = made;
  const events = eventsOf(made);
  const attempts: Attempts = new Map();
  const plan: readonly Resource[] = [
    scheduledEvents(events),
    cordonReturned(events.node, [], async (found, reader) => keepsCordon(events, found, reader)),
  ];
  let look = host.now();
  while (host.now() < until) {
    if (events.cloud && host.now() >= look) {
      await lookForEvents(events.memory, events.cloud, host.monotonic());
      look = host.now() + (events.memory.list?.nextAfter ?? 10_000);
    }
    const outcomes = await reconcile(plan, { host, attempts, random: 0.5 });
    expect(outcomes.find(({ state }) => state === 'Failed')).toBeUndefined();
    made.wasCordoned ||= cordonOf(made).isCordoned;
    const next = outcomes.flatMap((each) => ('lookAgainAt' in each ? [each.lookAgainAt] : []));
    const isChanged = outcomes.some(({ state }) => state === 'Changed');
    host.advance(isChanged ? 10 : Math.max(10, Math.min(look, ...next) - host.now()));
  }
}

function cordonOf({ api }: World) {
  const found = api.objects.get('nodes', undefined, 'vm-1');
  const mark = Object(found?.metadata.annotations)['slipway.dev/cordon'];
  return { isCordoned: Object(found?.spec).unschedulable === true, mark };
}

function judge(made: World): void {
  expect(made.wasCordoned).toBe(true);
  expect(cordonOf(made)).toEqual({ isCordoned: false, mark: undefined });
  expect(new Set(made.azure.acknowledged).size).toBe(1);
  expect(podsOn(made.api)).toEqual(['proxy', 'web']);
}

function longEnough(type: Announcement['type']): number {
  return lasts[type] + minute;
}

test.each(types)('an agent is drained before %s, lets it begin, and has no cordon after it', async (type) => {
  const made = world(type);
  await live(made, made.host.now() + longEnough(type));
  judge(made);
});

test.each(types)('a crash or reboot before any change leaves no cordon of Slipway after %s', async (type) => {
  const whole = world(type);
  await live(whole, whole.host.now() + longEnough(type));
  const { mutations } = whole.host;
  expect(mutations).toBeGreaterThan(5);
  for (const ends of ['restart', 'reboot'] as const) {
    for (let at = 1; at <= Math.min(mutations, 14); at += 1) {
      const made = world(type);
      const end = made.host.now() + longEnough(type);
      made.host.crashBefore(at);
      await live(made, end).catch(onlyCrash);
      expect(made.host.crashed).toBe(true);
      made.host.restart();
      if (ends === 'reboot') {
        made.kernel.reboot();
      }
      await live(made, end);
      judge(made);
    }
  }
});

function onlyCrash(thrown: unknown): void {
  if (!(thrown instanceof Crash)) {
    throw thrown;
  }
}
