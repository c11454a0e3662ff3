import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CloudEvents } from '../../../src/agent/clouds/events.ts';
import type { ScheduledEvents } from '../../lab/azure/scheduled-events.ts';
import { type Expected, expectFailure, requestsTo, startWorld, type World } from './world.ts';

let world: World;
let azure: ScheduledEvents;
beforeAll(async () => {
  world = await startWorld();
  azure = world.azure.events;
});
beforeEach(() => {
  const server = world.azure.node('server');
  server.faults.heal();
  server.vm.priority = '';
  azure.events = [];
});
afterAll(() => world.azure.stop());

function cloudEvents(): CloudEvents {
  const { events } = world.cloud();
  if (events === undefined) {
    throw new Error('Azure announces no events');
  }
  return events;
}

test('the creation of the cloud sends no request, and the first list of events switches the service on for the VM', async () => {
  azure.on.clear();
  expect(await requestsTo(world.azure, 'imds', async () => cloudEvents())).toBe(0);
  await cloudEvents().list();
  expect([...azure.on]).toEqual(['server']);
});

test('an event is listed with its kind, state, length and source, even if it names the VM in upper case', async () => {
  const before = Date.now();
  azure.announce({ type: 'Freeze', vms: ['SERVER'], duration: 5 });
  azure.announce({ type: 'Redeploy', vms: ['server'], source: 'User', notice: 600 });
  azure.begin(azure.announce({ type: 'Terminate', vms: ['server', 'other'] }));
  azure.announce({ type: 'Reboot', vms: ['other'] });
  const { events } = await cloudEvents().list();
  expect(events).toMatchObject([
    { kind: 'freeze', isStarted: false, seconds: 5, isByUser: false, namesOthers: false },
    { kind: 'redeploy', isStarted: false, seconds: undefined, isByUser: true },
    { kind: 'terminate', isStarted: true, notBefore: undefined, namesOthers: true },
  ]);
  expect(Math.abs((events[1]?.notBefore ?? 0) - before - 600_000)).toBeLessThan(10_000);
});

test('an event of a kind that this release does not know is listed as other', async () => {
  azure.announce({ type: 'Reboot', vms: ['server'] });
  azure.events = azure.events.map((event) => ({ ...event, EventType: 'Hibernate' }));
  expect((await cloudEvents().list()).events[0]?.kind).toBe('other');
});

test('a Spot VM asks for events every second, any other VM every ten seconds, with one request each time', async () => {
  const usual = cloudEvents();
  expect((await usual.list()).nextAfter).toBe(10_000);
  world.azure.node('server').vm.priority = 'Spot';
  expect((await cloudEvents().list()).nextAfter).toBe(1_000);
  expect(await requestsTo(world.azure, 'imds', () => usual.list())).toBe(1);
});

test('an acknowledgement lets an event begin, and may be repeated', async () => {
  const id = azure.announce({ type: 'Reboot', vms: ['server'] });
  const events = cloudEvents();
  await events.acknowledge(id);
  await events.acknowledge(id);
  expect(azure.acknowledged.slice(-2)).toEqual([id, id]);
  expect((await events.list()).events[0]).toMatchObject({ id, isStarted: true });
});

const failures: readonly [string, number, Expected][] = [
  ['410, as around a live migration', 410, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['500, as around a live migration', 500, { reason: 'IdentityUnavailable', endedBy: 'time' }],
  ['429', 429, { reason: 'Throttled', endedBy: 'time' }],
];

test.each(failures)(
  'a refused request for events is reported with a reason: %s',
  async (_what, status, expected) => {
    world.azure.node('server').faults.fail({ status }, { on: /scheduledevents/ });
    await expectFailure(cloudEvents().list(), expected);
  },
);

test('the error about an answer that is not a list of events names the setting to check', async () => {
  world.azure.node('server').faults.fail('garbage', { on: /scheduledevents/ });
  const expected = { reason: 'UnexpectedAnswer', endedBy: 'time', says: /azure\.imdsEndpoint/ } as const;
  expect((await expectFailure(cloudEvents().list(), expected)).blocks).toBe(false);
});

test('a refused acknowledgement is reported, and blocks nothing', async () => {
  const expected = {
    reason: 'UnexpectedAnswer',
    endedBy: 'time',
    says: /unknown-event.*400.*does not exist/,
  } as const;
  expect((await expectFailure(cloudEvents().acknowledge('unknown-event'), expected)).blocks).toBe(false);
});
