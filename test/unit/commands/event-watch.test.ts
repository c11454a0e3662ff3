import { setImmediate } from 'node:timers/promises';
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

test('while scheduledEvents is off, the event watch neither asks the cloud, because a request enables events, nor wakes the process', async () => {
  const host = memoryHost();
  const slept: number[] = [];
  host.sleep = async (milliseconds) => void slept.push(milliseconds);
  const unasked = () => {
    throw new Error('the cloud is asked');
  };
  const { signal } = new AbortController();
  const watch = eventWatch({ host, eventsOf: unasked, memory: eventMemory(), signal, onNews: unasked });
  for (let pass = 0; pass < 3; pass += 1) {
    watch(aNode('agent'));
    await setImmediate();
  }
  expect(slept).toEqual([]);
});

test('the event watch forgets the events once scheduledEvents is off, so that no later pass acts on old ones', async () => {
  const host = memoryHost();
  const { signal } = new AbortController();
  const memory = eventMemory();
  const cloud = { list: async () => ({ events: [anEvent()], nextAfter: 10_000 }), async acknowledge() {} };
  const seen: unknown[] = [];
  const onNews = () => {
    seen.push(memory.list);
    watch(aNode('agent'));
  };
  const watch = eventWatch({ host, eventsOf: () => cloud, memory, signal, onNews });
  watch(aNode('agent', { settings: { maintenance: { scheduledEvents: 'drain' } } }));
  for (let turn = 0; turn < 20; turn += 1) {
    await setImmediate();
  }
  expect(seen).toHaveLength(1);
  expect(memory.list).toBeUndefined();
});
