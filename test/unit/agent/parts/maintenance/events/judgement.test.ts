import { describe, expect, test } from 'vitest';
import type { CloudEvent } from '../../../../../../src/agent/clouds/events.ts';
import {
  dutyOf,
  inOrder,
  limitOf,
  type Moment,
} from '../../../../../../src/agent/parts/maintenance/events/judgement.ts';
import { anEvent, begun } from './an-event.ts';

const now = Date.UTC(2026, 0, 1);
const minute = 60_000;
const hour = 60 * minute;
const moment: Moment = {
  windows: [],
  isFree: true,
  now,
  monotonic: 5 * hour,
  started: new Map(),
  acknowledged: new Map(),
};

function duty(event: CloudEvent, changes: Partial<Moment> = {}): string {
  return dutyOf(event, { ...moment, ...changes });
}

describe('the duty', () => {
  test.each<[string, CloudEvent, string]>([
    ['a reboot by the platform', anEvent(), 'prepare'],
    ['a redeployment by the platform', anEvent({ kind: 'redeploy' }), 'prepare'],
    ['the eviction of a Spot VM', anEvent({ kind: 'preempt' }), 'prepare'],
    ['a deletion', anEvent({ kind: 'terminate' }), 'prepare'],
    [
      'a deletion by a user, who has asked for the notice',
      anEvent({ kind: 'terminate', isByUser: true }),
      'prepare',
    ],
    ['a reboot by a user', anEvent({ isByUser: true }), 'acknowledge'],
    ['a redeployment by a user', anEvent({ kind: 'redeploy', isByUser: true }), 'acknowledge'],
    ['a freeze without impact', anEvent({ kind: 'freeze', seconds: 0 }), 'acknowledge'],
    ['a freeze of eight seconds', anEvent({ kind: 'freeze', seconds: 8 }), 'acknowledge'],
    ['a freeze of nine seconds', anEvent({ kind: 'freeze', seconds: 9 }), 'report'],
    ['a freeze of unknown length', anEvent({ kind: 'freeze' }), 'report'],
    ['a freeze by a user', anEvent({ kind: 'freeze', seconds: 60, isByUser: true }), 'acknowledge'],
    ['a freeze that has begun', begun({ kind: 'freeze', seconds: 5 }), 'report'],
    ['an event of an unknown kind', anEvent({ kind: 'other' }), 'report'],
    ['a reboot that has begun', begun(), 'keepAway'],
    ['a reboot by a user that has begun', begun({ isByUser: true }), 'keepAway'],
    ['a reboot without a time', anEvent({ notBefore: undefined }), 'prepare'],
    ['a reboot that is late', anEvent({ notBefore: now - 59 * minute }), 'prepare'],
    ['a reboot that should have begun an hour ago', anEvent({ notBefore: now - hour }), 'report'],
  ])('for $0: $2', (_what, event, expected) => {
    expect(duty(event)).toBe(expected);
  });

  const closed = { windows: [{ from: '02:00', to: '04:00' }] };

  test.each<[string, Partial<CloudEvent>, Partial<Moment>, string]>([
    ['hours before it, without windows', {}, {}, 'prepare'],
    ['hours before it, while a window is open', {}, { ...closed, now: now + 2 * hour }, 'prepare'],
    ['hours before it, while the windows are closed', {}, closed, 'report'],
    ['hours before it, on a held node or the only server', {}, { isFree: false }, 'report'],
    [
      'an hour before it, on a held node or the only server',
      {},
      { isFree: false, now: now + 4 * hour },
      'prepare',
    ],
    ['an hour before it, although the windows are closed', {}, { ...closed, now: now + 4 * hour }, 'prepare'],
    ['hours before it, if it names other VMs too', { namesOthers: true }, {}, 'report'],
    [
      'an hour before it, if it names other VMs too',
      { namesOthers: true },
      { now: now + 4 * hour },
      'prepare',
    ],
  ])('for an event, $0: $3', (_what, changes, at, expected) => {
    expect(duty(anEvent({ notBefore: now + 5 * hour, ...changes }), at)).toBe(expected);
  });

  test('ends an hour after the event was first seen as begun', () => {
    const since = (time: number) => ({ started: new Map([['E-1', time]]) });
    expect(duty(begun(), since(4 * hour + 1))).toBe('keepAway');
    expect(duty(begun(), since(4 * hour))).toBe('report');
  });
});

test('a duty ends an hour after the node let the event begin, even if the event has not begun', () => {
  const acknowledged = (time: number) => ({ acknowledged: new Map([['E-1', time]]) });
  const event = anEvent({ notBefore: now + 48 * hour });
  expect(duty(event, acknowledged(4 * hour + 1))).toBe('prepare');
  expect(duty(event, acknowledged(4 * hour))).toBe('report');
});

test('events that have begun come first, then those without a time, then the others by time', () => {
  const events = [
    anEvent({ id: 'later', notBefore: now + hour }),
    anEvent({ id: 'soon', notBefore: now }),
    anEvent({ id: 'unknown', notBefore: undefined }),
    begun({ id: 'begun' }),
  ];
  expect(inOrder(events).map(({ id }) => id)).toEqual(['begun', 'unknown', 'soon', 'later']);
});

describe('the time limit of a drain', () => {
  const setting = 10 * minute;

  test.each<[string, CloudEvent, number, number, number]>([
    ['that of the settings, if the event is later', anEvent(), now, 0, 10],
    ['the time until a minute before the event', anEvent(), now + 8 * minute, 0, 6],
    ['counted from the start of the drain', anEvent(), now + 10 * minute, 2 * minute, 6],
    ['twenty seconds if there is no time left', anEvent(), now + hour, 0, 1 / 3],
    ['twenty seconds if the time is unknown', anEvent({ notBefore: undefined }), now, 0, 1 / 3],
  ])('is %s', (_what, event, at, elapsed, minutes) => {
    expect(limitOf(event, at, elapsed, setting)).toEqual({ timeout: minutes * minute });
  });

  test('is twenty seconds on a Spot VM, and so is the grace period of each pod', () => {
    const event = anEvent({ kind: 'preempt', notBefore: now + 30_000 });
    expect(limitOf(event, now, 0, setting)).toEqual({ timeout: 20_000, grace: 20 });
  });
});
