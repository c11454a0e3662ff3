import { expect, test } from 'vitest';
import { eventMemory } from '../../../src/agent/parts/maintenance/index.ts';
import { eventWatch } from '../../../src/commands/event-watch.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aNode } from '../agent/a-node.ts';
import { anEvent } from '../agent/parts/maintenance/events/an-event.ts';

/** Watches for 60 seconds; returns when the cloud was asked and when the daemon was woken, in seconds. */
async function watched(scheduledEvents: string, nextAfter = 10_000) {
  const host = memoryHost();
  const begun = host.now();
  const seconds = () => (host.now() - begun) / 1_000;
  const asked: number[] = [];
  const woken: number[] = [];
  const stopped = new AbortController();
  host.at(begun + 60_000, () => stopped.abort());
  const over = new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
  const cloud = {
    async list() {
      asked.push(seconds());
      return { events: seconds() >= 20 ? [anEvent()] : [], nextAfter };
    },
    async acknowledge() {},
  };
  const watch = eventWatch({
    host,
    eventsOf: () => cloud,
    memory: eventMemory(),
    signal: stopped.signal,
    onNews: () => woken.push(seconds()),
  });
  watch(aNode('agent', { settings: { maintenance: { scheduledEvents } } }));
  await over;
  return { asked, woken };
}

test('the event watch asks the cloud every ten seconds, and wakes the daemon for news only', async () => {
  const { asked, woken } = await watched('drain');
  expect(asked).toEqual([0, 10, 20, 30, 40, 50]);
  expect(woken).toEqual([0, 20]);
});

test('the event watch asks every second on a VM that the cloud may evict at short notice', async () => {
  const { asked, woken } = await watched('observe', 1_000);
  expect(asked).toHaveLength(60);
  expect(woken).toEqual([0, 20]);
});

test('the event watch never asks the cloud while scheduledEvents is off, because a request enables events', async () => {
  expect(await watched('off')).toEqual({ asked: [], woken: [] });
});

test('the event watch forgets the events once scheduledEvents is off, so that no later pass acts on old ones', async () => {
  const host = memoryHost();
  const stopped = new AbortController();
  const memory = eventMemory();
  const over = new Promise((resolve) => stopped.signal.addEventListener('abort', resolve));
  const cloud = { list: async () => ({ events: [anEvent()], nextAfter: 10_000 }), async acknowledge() {} };
  const seen: unknown[] = [];
  const onNews = () => {
    seen.push(memory.list);
    watch(aNode('agent'));
  };
  const watch = eventWatch({ host, eventsOf: () => cloud, memory, signal: stopped.signal, onNews });
  host.at(host.now() + 15_000, () => stopped.abort());
  watch(aNode('agent', { settings: { maintenance: { scheduledEvents: 'drain' } } }));
  await over;
  expect(seen).toHaveLength(1);
  expect(memory.list).toBeUndefined();
});
