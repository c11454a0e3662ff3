import { beforeEach, describe, expect, test } from 'vitest';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import {
  type Finding,
  inSync,
  type Resource,
  step,
  waiting,
} from '../../../../../../src/agent/engine/resource.ts';
import {
  copyInTime,
  unlessStopped,
} from '../../../../../../src/agent/parts/maintenance/events/clean-stop.ts';
import { eventMemory } from '../../../../../../src/agent/parts/maintenance/events/memory.ts';
import type { NodeEvents } from '../../../../../../src/agent/parts/maintenance/events/node-events.ts';
import { type MemoryHost, memoryHost } from '../../../../../lab/memory-host.ts';
import { aNode } from '../../../a-node.ts';
import { anEvent } from './an-event.ts';

const preempt = anEvent({ kind: 'preempt' });

let host: MemoryHost;
let events: NodeEvents;

beforeEach(() => {
  host = memoryHost();
  events = { node: aNode('server'), cloud: undefined, memory: eventMemory() };
});

function drift(remedy: () => Promise<void> = async () => {}): Finding {
  return step({ field: 'K3s', observed: undefined, desired: 'started' }, remedy);
}

describe('unlessStopped', () => {
  const starts: Resource = {
    id: 'Service/k3s',
    summary: 'start K3s',
    condition: 'K3sRunning',
    check: async () => drift(),
  };

  /** Makes K3s stopped for the event, which the cloud still lists. */
  function stopped(): void {
    events.memory.list = { events: [preempt], nextAfter: 1_000 };
    events.memory.stopped = { id: preempt.id, at: host.monotonic() };
  }

  async function state(resource = starts): Promise<string> {
    const found = await unlessStopped(events, resource).check(host);
    return found.state === 'Waiting' ? found.reason : found.state;
  }

  test('lets K3s start if it was not stopped for an event', async () => {
    events.memory.list = { events: [preempt], nextAfter: 1_000 };
    expect(await state()).toBe('Drifted');
  });

  test('makes a start wait for three minutes', async () => {
    stopped();
    expect(await unlessStopped(events, starts).check(host)).toEqual(
      waiting('EventScheduled', expect.any(String), { isExpected: true, after: 5_000 }),
    );
    host.advance(179_999);
    expect(await state()).toBe('EventScheduled');
    host.advance(1);
    expect(await state()).toBe('Drifted');
  });

  test.each([
    ['the event is over', []],
    ['only another event is known', [anEvent({ id: 'E-2', kind: 'preempt' })]],
  ])('lets K3s start once %s', async (_, known) => {
    stopped();
    events.memory.list = { events: known, nextAfter: 1_000 };
    expect(await state()).toBe('Drifted');
  });

  test('lets K3s start while nothing is known about events', async () => {
    stopped();
    events.memory.list = undefined;
    expect(await state()).toBe('Drifted');
  });

  test('does not hold back a Resource that has nothing to do', async () => {
    stopped();
    expect(await state({ ...starts, check: async () => inSync() })).toBe('InSync');
  });
});

describe('copyInTime', () => {
  const declined = () => Promise.reject(new NodeError('CopyDeclined', 'full'));

  async function carriedOut(found: Finding | undefined): Promise<unknown> {
    return found?.state === 'Drifted' ? found.drift.remedy(host).catch((thrown) => thrown) : 'no step';
  }

  test('returns the step unchanged for any other event, and a wait for any event', () => {
    const copy = drift(declined);
    expect(copyInTime(events, anEvent(), copy)).toBe(copy);
    const wait = waiting('CopyDeclined', 'full');
    expect(copyInTime(events, preempt, wait)).toBe(wait);
    expect(copyInTime(events, preempt, undefined)).toBeUndefined();
  });

  test('makes a copy before an eviction', async () => {
    let copies = 0;
    const copy = drift(async () => {
      copies += 1;
    });
    const found = copyInTime(events, preempt, copy);
    expect(found).toMatchObject({ drift: { partial: true, changes: [{ field: 'K3s' }] } });
    expect(await carriedOut(found)).toBeUndefined();
    expect(copies).toBe(1);
    expect(copyInTime(events, preempt, copy)?.state).toBe('Drifted');
  });

  test('tries a copy that fails only once before an eviction', async () => {
    const copy = drift(declined);
    expect(await carriedOut(copyInTime(events, preempt, copy))).toMatchObject({
      reason: 'CopyDeclined',
      blocks: false,
      endedBy: 'time',
    });
    expect(copyInTime(events, preempt, copy)).toBeUndefined();
    expect(copyInTime(events, anEvent({ id: 'E-2', kind: 'preempt' }), copy)?.state).toBe('Drifted');
  });

  test('does not hide an error in the code', async () => {
    const copy = drift(() => Promise.reject(new TypeError('x')));
    expect(await carriedOut(copyInTime(events, preempt, copy))).toBeInstanceOf(TypeError);
    expect(copyInTime(events, preempt, copy)?.state).toBe('Drifted');
  });
});
