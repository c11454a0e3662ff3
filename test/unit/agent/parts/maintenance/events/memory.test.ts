import { beforeEach, describe, expect, test } from 'vitest';
import type { CloudEvent, CloudEvents } from '../../../../../../src/agent/clouds/events.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import {
  type EventMemory,
  eventMemory,
  knownEvents,
  lookForEvents,
} from '../../../../../../src/agent/parts/maintenance/events/memory.ts';
import { anEvent, begun } from './an-event.ts';

const minute = 60_000;
const silent = new NodeError('IdentityUnavailable', 'no answer');

let memory: EventMemory;
let shown: readonly CloudEvent[] | Error;
const cloud: CloudEvents = {
  async list() {
    if (shown instanceof Error) {
      throw shown;
    }
    return { events: shown, nextAfter: 10_000 };
  },
  async acknowledge() {},
};

beforeEach(() => {
  memory = eventMemory();
  shown = [];
});

function look(now: number): Promise<boolean> {
  return lookForEvents(memory, cloud, now);
}

test('only the first answer, a new event, its start and its end are news', async () => {
  expect(knownEvents(memory, 0)).toBeUndefined();
  const news: boolean[] = [];
  for (const events of [[], [], [anEvent()], [anEvent()], [begun()], [begun()], [], []]) {
    shown = events;
    news.push(await look(news.length));
  }
  expect(news).toEqual([true, false, true, false, true, false, true, false]);
});

test('the time at which an event was first seen as begun is remembered until the event disappears', async () => {
  shown = [begun()];
  await look(1_000);
  await look(2_000);
  expect([...memory.started]).toEqual([['E-1', 1_000]]);
  memory.acknowledged.set('E-1', 2_000);
  shown = [];
  await look(3_000);
  expect([memory.started.size, memory.acknowledged.size]).toEqual([0, 0]);
});

describe('without an answer', () => {
  beforeEach(async () => {
    shown = [anEvent()];
    await look(0);
    shown = silent;
  });

  test('errors for less than three minutes, as during a live migration, are not news', async () => {
    expect([await look(1_000), await look(71_000), await look(180_000)]).toEqual([false, false, false]);
    expect(memory.trouble).toEqual({ error: silent, since: 1_000, isReported: false });
  });

  test('three minutes without an answer are news once, and so is the next answer', async () => {
    await look(1_000);
    expect([await look(181_000), await look(182_000)]).toEqual([true, false]);
    expect(memory.trouble).toEqual({ error: silent, since: 1_000, isReported: true });
    shown = [anEvent()];
    expect([await look(183_000), await look(184_000)]).toEqual([true, false]);
    expect(memory.trouble).toBeUndefined();
  });

  test('the last answer counts for ten minutes', async () => {
    await look(0);
    expect(knownEvents(memory, 10 * minute - 1)).toEqual([anEvent()]);
    expect(knownEvents(memory, 10 * minute)).toEqual([]);
  });

  test('a new process waits ten minutes for the first answer, and then assumes that there are no events', async () => {
    memory = eventMemory();
    await look(0);
    expect(knownEvents(memory, 10 * minute - 1)).toBeUndefined();
    expect(knownEvents(memory, 10 * minute)).toEqual([]);
  });
});

test('a defect of Slipway is not taken for an outage', async () => {
  shown = new TypeError('a defect');
  await expect(look(0)).rejects.toThrow('a defect');
});
