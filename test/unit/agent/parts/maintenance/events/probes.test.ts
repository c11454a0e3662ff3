import { expect, test } from 'vitest';
import type { CloudEvent, CloudEvents } from '../../../../../../src/agent/clouds/events.ts';
import { examine } from '../../../../../../src/agent/doctor/probe.ts';
import { NodeError } from '../../../../../../src/agent/engine/errors.ts';
import { eventProbes } from '../../../../../../src/agent/parts/maintenance/events/probes.ts';
import { someSettings } from '../../../a-node.ts';
import { anEvent, begun } from './an-event.ts';

type Wish = 'off' | 'observe' | 'drain';

/** Returns what the probe reports; `asked` counts the questions to the cloud. */
async function diagnosed(scheduledEvents: Wish, list: () => readonly CloudEvent[]) {
  let asked = 0;
  const events: CloudEvents = {
    async list() {
      asked += 1;
      return { events: list(), nextAfter: 1_000 };
    },
    acknowledge: () => Promise.reject(new Error('acknowledged')),
  };
  const settings = someSettings({ maintenance: { scheduledEvents } });
  const [found] = await examine(eventProbes({ settings, cloud: { events } }), { now: () => 0 });
  return { asked, found };
}

test('the probe does not ask the cloud while maintenance.scheduledEvents is off', async () => {
  const { asked, found } = await diagnosed('off', () => []);
  expect(asked).toBe(0);
  expect(found).toMatchObject({ about: 'cloud', what: 'scheduled events', level: 'skipped' });
});

test.each(['observe', 'drain'] as const)('the probe reports that %s has an answer', async (wish) => {
  const { found } = await diagnosed(wish, () => []);
  expect(found).toMatchObject({
    level: 'ok',
    message: `${wish}: the cloud answers, and announces no interruption`,
  });
});

test('the probe lists what the cloud announces, the next first', async () => {
  const { found } = await diagnosed('drain', () => [
    anEvent({ kind: 'reboot' }),
    begun(anEvent({ id: 'E-2', kind: 'freeze', isStarted: true, seconds: 5 })),
  ]);
  expect(found?.message).toMatch(/^drain: a freeze of 5 s, which has begun; a reboot, not before 20/);
});

test('the probe reports an error of the cloud', async () => {
  const { found } = await diagnosed('drain', () => {
    throw new NodeError('TimedOut', 'no answer within 5 s', { blocks: false });
  });
  expect(found).toMatchObject({ level: 'warning', reason: 'TimedOut', message: 'no answer within 5 s' });
});

test('a cloud that announces nothing has no probe', () => {
  expect(eventProbes({ settings: someSettings(), cloud: {} })).toEqual([]);
});
