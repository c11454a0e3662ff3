import { beforeEach, describe, expect, test } from 'vitest';
import type { CloudEvent, CloudEvents } from '../../../../../../src/agent/clouds/events.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import type { Finding } from '../../../../../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../../../../../src/agent/node.ts';
import { eventMemory, lookForEvents } from '../../../../../../src/agent/parts/maintenance/events/memory.ts';
import {
  keepsCordon,
  type NodeEvents,
  untilEventIsOver,
} from '../../../../../../src/agent/parts/maintenance/events/node-events.ts';
import { scheduledEvents } from '../../../../../../src/agent/parts/maintenance/events/scheduled-events.ts';
import { hold } from '../../../../../../src/agent/parts/maintenance/index.ts';
import { kernelClock } from '../../../../../lab/kernel-clock.ts';
import type { MemoryApi } from '../../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aCluster, putNode } from '../../../a-cluster.ts';
import { aNode, type RoleName } from '../../../a-node.ts';
import { podsOn, putBudget, putPod } from '../drain/some-pods.ts';
import { anEvent, begun } from './an-event.ts';

const minute = 60_000;

let host: MemoryHost;
let api: MemoryApi;
let shown: readonly CloudEvent[];
let acknowledged: string[];
let events: NodeEvents;
const cloud: CloudEvents = {
  list: async () => ({ events: shown, nextAfter: 10_000 }),
  async acknowledge(id) {
    acknowledged.push(id);
    shown = shown.map((event) => (event.id === id ? begun({ ...event, isStarted: true }) : event));
  },
};

function nodeWith(role: RoleName, maintenance: object, k3s: object = {}): K3sNode {
  const { drain } = aNode(role).settings.maintenance;
  const settings = {
    k3s,
    maintenance: { scheduledEvents: 'drain', drain: { ...drain, timeout: '10m' }, ...maintenance },
  };
  return aNode(role, { settings });
}

beforeEach(() => {
  host = memoryHost();
  kernelClock(host);
  api = aCluster(host);
  putNode(api, { spec: { taints: [] } });
  shown = [];
  acknowledged = [];
  given();
});

/** Makes a new process on a node with this role and these settings. */
function given(role: RoleName = 'agent', maintenance: object = {}, k3s: object = {}): void {
  events = { node: nodeWith(role, maintenance, k3s), cloud, memory: { ...eventMemory(), isWatched: true } };
}

/** Asks the cloud, and makes passes until nothing is left to do at this time; returns what was done and found. */
async function passes(): Promise<readonly string[]> {
  const lines: string[] = [];
  await lookForEvents(events.memory, cloud, host.monotonic());
  for (let pass = 0; pass < 20; pass += 1) {
    const found = await scheduledEvents(events).check(host);
    lines.push(line(found));
    if (found.state !== 'Drifted') {
      return lines;
    }
    expect(found.drift.blocks).toBe(false);
    await found.drift.remedy(host);
  }
  throw new Error(lines.join('\n'));
}

function line(found: Finding): string {
  if (found.state === 'Drifted') {
    return found.drift.summary ?? '';
  }
  return found.state === 'Waiting' ? `${found.reason}: ${found.message}` : found.state;
}

/** Makes passes each second for some time; returns the different lines. */
async function live(time: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const end = host.now() + time; host.now() <= end; host.advance(1_000)) {
    for (const each of await passes()) {
      if (!lines.includes(each)) {
        lines.push(each);
      }
    }
  }
  return lines;
}

test('scheduledEvents prepares an agent for a reboot: cordons it, drains it, and lets the reboot begin', async () => {
  putPod(api, 'web');
  shown = [anEvent()];
  const lines = await live(10_000);
  const reboot = 'a reboot, not before 2026-01-01T00:15:00Z';
  expect(lines).toEqual([
    'cordon vm-1 for: event reboot',
    'drain vm-1: evict 1 pod',
    expect.stringMatching(/^Draining: /),
    'end the drain of vm-1: no pod is left to evict',
    `let the cloud begin ${reboot}`,
    `EventScheduled: The cloud has announced ${reboot}. The node has let it begin.`,
    'EventScheduled: The cloud has announced a reboot, which has begun.',
  ]);
  expect(acknowledged).toEqual(['E-1']);
  expect(podsOn(api)).toEqual([]);
});

test('scheduledEvents only reports an event in the mode observe, even one that would be acknowledged at once', async () => {
  given('agent', { scheduledEvents: 'observe' });
  shown = [anEvent(), anEvent({ id: 'E-2', kind: 'freeze', seconds: 5 })];
  expect(await passes()).toEqual([
    expect.stringMatching(
      /^EventScheduled: The cloud has announced a reboot, .* Slipway only reports it \(.*\)\. The cloud has announced a freeze of 5 s, /,
    ),
  ]);
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents is in sync without events, before the first answer, and in the mode off', async () => {
  expect(await passes()).toEqual(['InSync']);
  given('agent', { scheduledEvents: 'off' });
  shown = [anEvent()];
  expect(await passes()).toEqual(['InSync']);
  given();
  expect(line(await scheduledEvents(events).check(host))).toBe('InSync');
});

test('scheduledEvents reports a setting that has no effect in this cloud', async () => {
  const found = await scheduledEvents({ ...events, cloud: undefined }).check(host);
  expect(found).toMatchObject({
    state: 'Waiting',
    reason: 'EventsUnsupported',
    endedBy: 'person',
    blocks: false,
  });
});

test.each<[string, Partial<CloudEvent>]>([
  ['a freeze of some seconds', { kind: 'freeze', seconds: 5 }],
  ['a reboot by a user', { isByUser: true }],
])('scheduledEvents lets %s begin at once, without a cordon', async (_what, event) => {
  putPod(api, 'web');
  shown = [anEvent(event)];
  const lines = await passes();
  expect(lines[0]).toMatch(/^let the cloud begin /);
  expect(acknowledged).toEqual(['E-1']);
  expect(podsOn(api)).toEqual(['web']);
  expect(Object(api.objects.get('nodes', undefined, 'vm-1')?.spec).unschedulable).toBeUndefined();
});

test('scheduledEvents prepares for an event that names other VMs too, but never lets it begin', async () => {
  putPod(api, 'web');
  shown = [
    anEvent({ namesOthers: true }),
    anEvent({ id: 'E-2', kind: 'freeze', seconds: 5, namesOthers: true }),
  ];
  const lines = await live(20_000);
  expect(lines.at(-1)).toContain('The node is ready, but the event is about other VMs too.');
  expect(podsOn(api)).toEqual([]);
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents does not let an event begin if the event has changed or gone since the check', async () => {
  shown = [anEvent({ kind: 'freeze', seconds: 5 })];
  await lookForEvents(events.memory, cloud, host.monotonic());
  const found = await scheduledEvents(events).check(host);
  shown = [anEvent({ kind: 'freeze', seconds: 5, namesOthers: true })];
  await (found.state === 'Drifted' && found.drift.remedy(host));
  expect(acknowledged).toEqual([]);
  shown = [];
  await (found.state === 'Drifted' && found.drift.remedy(host));
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents evicts all pods of a Spot VM at once, with at most twenty seconds of grace, and does not wait for budgets', async () => {
  putPod(api, 'slow', { grace: 600, annotations: { 'standin/ends-after': '15' } });
  putPod(api, 'brief', { grace: 5 });
  putPod(api, 'held', { labels: { app: 'held' } });
  putBudget(api, 'held', 'held', 1);
  host.advance(1_000);
  const begin = host.now();
  shown = [anEvent({ kind: 'preempt', notBefore: begin + 30_000 })];
  await passes();
  const bodies = host.journal.map((action) => (action.kind === 'send' ? `${action.body ?? ''}` : ''));
  expect(bodies.flatMap((body) => /"gracePeriodSeconds":\d+/.exec(body) ?? []).sort()).toEqual([
    '"gracePeriodSeconds":20',
    '"gracePeriodSeconds":20',
    '"gracePeriodSeconds":5',
  ]);
  await live(24_000);
  expect(acknowledged).toEqual(['E-1']);
  expect(host.now() - begin).toBeLessThan(30_000);
  expect(podsOn(api)).toEqual(['held']);
});

test('scheduledEvents waits for a budget until a minute before the event, and then lets it begin', async () => {
  given('agent', { drain: { ...events.node.settings.maintenance.drain, timeout: '1h' } });
  putPod(api, 'web', { labels: { app: 'web' } });
  putBudget(api, 'web', 'web', 1);
  host.advance(1_000);
  shown = [anEvent()];
  await live(13 * minute);
  expect(acknowledged).toEqual([]);
  await live(minute);
  expect(acknowledged).toEqual(['E-1']);
});

test('scheduledEvents deletes pods before the event despite their budgets only if onTimeout is force', async () => {
  given('agent', { drain: { ...events.node.settings.maintenance.drain, timeout: '5m', onTimeout: 'force' } });
  putPod(api, 'web', { labels: { app: 'web' } });
  putBudget(api, 'web', 'web', 1);
  host.advance(1_000);
  shown = [anEvent()];
  await live(6 * minute);
  expect(podsOn(api)).toEqual([]);
  expect(acknowledged).toEqual(['E-1']);
});

test('scheduledEvents only cordons the node for an event that has begun', async () => {
  putPod(api, 'web');
  shown = [begun()];
  expect(await passes()).toEqual([
    'cordon vm-1 for: event reboot',
    'EventScheduled: The cloud has announced a reboot, which has begun.',
  ]);
  expect(podsOn(api)).toEqual(['web']);
});

test('scheduledEvents keeps the cordon of a person', async () => {
  putNode(api, { spec: { unschedulable: true } });
  shown = [anEvent()];
  const lines = await passes();
  expect(lines.some((each) => each.startsWith('cordon'))).toBe(false);
  expect(acknowledged).toEqual(['E-1']);
});

test('scheduledEvents drains a node that is held, but does not let the event begin', async () => {
  await hold(host, events.node.paths, 'under investigation');
  putPod(api, 'web');
  shown = [anEvent()];
  const lines = await live(20_000);
  expect(lines.at(-1)).toContain('The node is held');
  expect(podsOn(api)).toEqual([]);
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents reports which event is waiting if the API does not answer, checks again soon, and lets nothing begin', async () => {
  api.isUp = () => false;
  shown = [anEvent()];
  await lookForEvents(events.memory, cloud, host.monotonic());
  const found = await scheduledEvents(events).check(host);
  expect(found).toMatchObject({ state: 'Waiting', reason: 'ApiUnavailable', after: 2_000, blocks: false });
  expect(line(found)).toMatch(/cannot prepare for a reboot.*does not answer/);
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents prepares for two events one after the other, and lets both begin', async () => {
  putPod(api, 'web');
  shown = [anEvent({ id: 'E-2', notBefore: Date.UTC(2026, 0, 1, 0, 20) }), anEvent()];
  const lines = await live(20_000);
  expect(acknowledged).toEqual(['E-1', 'E-2']);
  expect(lines.filter((each) => each.startsWith('end the drain'))).toHaveLength(1);
});

test('the node is not drained again for a later event while an event that names other VMs is pending', async () => {
  putPod(api, 'web');
  shown = [anEvent({ namesOthers: true }), anEvent({ id: 'E-2', notBefore: Date.UTC(2026, 0, 1, 0, 20) })];
  await live(20_000);
  const { mutations } = host;
  await live(minute);
  expect(host.mutations).toBe(mutations);
  expect(acknowledged).toEqual([]);
});

test('scheduledEvents reports a cloud that has not answered for three minutes', async () => {
  const silent = new NodeError('IdentityUnavailable', 'no answer');
  const trouble = { error: silent, since: host.monotonic() };
  events.memory.trouble = { ...trouble, isReported: false };
  expect(line(await scheduledEvents(events).check(host))).toBe('InSync');
  events.memory.trouble = { ...trouble, isReported: true };
  await expect(scheduledEvents(events).check(host)).rejects.toMatchObject({
    reason: silent.reason,
    blocks: false,
  });
});

test('an acknowledgement that fails does not delay the preparation for another event', async () => {
  const refusing = { ...cloud, acknowledge: () => Promise.reject(new NodeError('UnexpectedAnswer', 'no')) };
  events = { ...events, cloud: refusing };
  putPod(api, 'web');
  shown = [anEvent({ kind: 'freeze', seconds: 5 }), anEvent({ id: 'E-2', kind: 'preempt' })];
  await lookForEvents(events.memory, refusing, host.monotonic());
  const found = await scheduledEvents(events).check(host);
  await expect(found.state === 'Drifted' && found.drift.remedy(host)).rejects.toThrow('no');
  expect(line(await scheduledEvents(events).check(host))).toMatch(/^cordon vm-1/);
});

describe('the only server of a cluster', () => {
  beforeEach(() => given('server'));

  test('is neither cordoned nor drained, and does not let the event begin early', async () => {
    putPod(api, 'web');
    shown = [anEvent()];
    const lines = await live(20_000);
    expect(lines).toEqual([expect.stringContaining('The only server of a cluster is not drained.')]);
    expect(podsOn(api)).toEqual(['web']);
    expect(acknowledged).toEqual([]);
  });

  test('stops K3s once before the eviction of its Spot VM', async () => {
    let state = 'active';
    host.on({ file: 'systemctl', args: /^show k3s.service / }, () => `ActiveState=${state}\n`);
    host.on({ file: 'systemctl', args: ['stop', '--no-block', 'k3s.service'] }, () => {
      state = 'inactive';
      api.isUp = () => false;
      return '';
    });
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([
      expect.stringMatching(/^stop K3s before the eviction of this Spot VM/),
      expect.stringContaining('K3s is stopped for it, '),
    ]);
    state = 'active';
    expect(await passes()).toHaveLength(1);
    expect(acknowledged).toEqual([]);
  });

  /** Makes K3s start for as long as the test lasts, so that its API does not answer. */
  function starting(): void {
    let state = 'activating';
    api.isUp = () => false;
    host.on({ file: 'systemctl', args: /^show k3s.service / }, () => `ActiveState=${state}\n`);
    host.on({ file: 'systemctl', args: ['stop', '--no-block', 'k3s.service'] }, () => {
      state = 'inactive';
      return '';
    });
  }

  test('stops a K3s that is still starting before the eviction of its Spot VM', async () => {
    starting();
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([
      expect.stringMatching(/^stop K3s before the eviction of this Spot VM/),
      expect.stringContaining('K3s is stopped for it, '),
    ]);
  });

  test.each([
    ['a reboot', {}],
    ['an eviction that has begun', { kind: 'preempt', isStarted: true }],
  ] as const)('does not stop a K3s that is still starting before %s', async (_, fields) => {
    starting();
    shown = [anEvent(fields)];
    expect(await passes()).toEqual([expect.stringMatching(/^ApiUnavailable|^EventScheduled/)]);
  });

  /** Makes K3s run although its API does not answer. */
  function hanging(): void {
    let state = 'active';
    api.isUp = () => false;
    host.on({ file: 'systemctl', args: /^show k3s.service / }, () => `ActiveState=${state}\n`);
    host.on({ file: 'systemctl', args: ['stop', '--no-block', 'k3s.service'] }, () => {
      state = 'inactive';
      return '';
    });
  }

  test('stops a K3s whose API does not answer before the eviction of its Spot VM', async () => {
    hanging();
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([
      expect.stringMatching(/^stop K3s before the eviction of this Spot VM/),
      expect.stringContaining('K3s is stopped for it, '),
    ]);
    expect(acknowledged).toEqual([]);
  });

  test.each([
    ['a reboot', {}],
    ['an eviction that has begun', { kind: 'preempt', isStarted: true }],
  ] as const)('does not stop a K3s whose API does not answer before %s', async (_, fields) => {
    hanging();
    shown = [anEvent(fields)];
    expect(await passes()).toEqual([expect.stringMatching(/^ApiUnavailable|^EventScheduled/)]);
  });

  test('does not stop a K3s whose API does not answer while a person holds the node', async () => {
    hanging();
    await hold(host, events.node.paths, 'under investigation');
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([expect.stringMatching(/^ApiUnavailable/)]);
  });

  test.each([
    ['a server with etcd, which may be one of several', 'server', { datastore: 'etcd' }],
    ['an agent', 'agent', {}],
  ] as const)('is stopped without an answer of the API, but %s is not', async (_, role, k3s) => {
    given(role, {}, k3s);
    hanging();
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([expect.stringMatching(/^ApiUnavailable/)]);
  });

  test('does not stop a K3s that is still starting while a person holds the node', async () => {
    starting();
    await hold(host, events.node.paths, 'under investigation');
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([expect.stringMatching(/^ApiUnavailable/)]);
  });

  test('is not stopped while a person holds it', async () => {
    await hold(host, events.node.paths, 'under investigation');
    shown = [anEvent({ kind: 'preempt' })];
    expect(await passes()).toEqual([expect.stringContaining('The only server')]);
  });

  test('lets a reboot by a user begin', async () => {
    shown = [anEvent({ isByUser: true })];
    await passes();
    expect(acknowledged).toEqual(['E-1']);
  });
});

test('one of several servers is drained', async () => {
  given('server');
  const labels = { 'node-role.kubernetes.io/control-plane': 'true' };
  const metadata = { name: 'vm-2', labels };
  api.objects.put('nodes', undefined, { apiVersion: 'v1', kind: 'Node', metadata });
  putPod(api, 'web');
  shown = [anEvent()];
  await live(20_000);
  expect(podsOn(api)).toEqual([]);
  expect(acknowledged).toEqual(['E-1']);
});

test('a node that has not joined its cluster lets an event begin at once', async () => {
  host.files.remove('/var/lib/rancher/k3s/agent/kubelet.kubeconfig');
  shown = [anEvent()];
  const lines = await passes();
  expect(lines).toEqual([
    expect.stringMatching(/^let the cloud begin/),
    expect.stringMatching(/^EventScheduled/),
  ]);
});

describe('the cordon for an event', () => {
  const cordoned = (why: string) => ({
    metadata: { annotations: { 'slipway.dev/cordon': JSON.stringify({ why, since: '' }) } },
    spec: { unschedulable: true },
  });

  test('is kept only while the event is known', async () => {
    shown = [anEvent()];
    await passes();
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(true);
    shown = [];
    await passes();
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(false);
  });

  test('is kept before the first answer, but not after ten minutes without an answer', () => {
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(true);
    expect(keepsCordon(events, cordoned('restart config'), host)).toBe(false);
    events.memory.trouble = {
      error: new NodeError('Throttled', 'no'),
      since: host.monotonic(),
      isReported: true,
    };
    host.advance(10 * minute);
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(false);
  });

  test('is kept by a process that does not ask the cloud, such as a plan', () => {
    events.memory.isWatched = false;
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(true);
  });

  test.each(['off', 'observe'])('is removed once scheduledEvents is %s', async (scheduledEvents) => {
    shown = [anEvent()];
    await passes();
    events = { ...events, node: nodeWith('agent', { scheduledEvents }) };
    expect(keepsCordon(events, cordoned('event reboot'), host)).toBe(false);
  });
});

test('an event for which the node is drained holds back its turn; other events do not', async () => {
  shown = [anEvent({ kind: 'freeze' })];
  await passes();
  expect(untilEventIsOver(events, host)).toBeUndefined();
  shown = [anEvent()];
  await passes();
  expect(untilEventIsOver(events, host)).toMatchObject({
    reason: 'EventScheduled',
    blocks: false,
    isExpected: true,
  });
});
