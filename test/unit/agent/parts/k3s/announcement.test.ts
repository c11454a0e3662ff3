import { describe, expect, test } from 'vitest';
import type { Condition } from '../../../../../src/agent/engine/conditions.ts';
import {
  announcement,
  type Standing,
  type Told,
  toldBy,
} from '../../../../../src/agent/parts/k3s/announcement.ts';
import { annotationKeys } from '../../../../../src/agent/parts/k3s/node-annotations.ts';

const minute = 60_000;
const now = Date.UTC(2026, 0, 1);

/** Returns the condition that a string such as `Registries False PullDenied` describes. */
function condition(text: string): Condition {
  const [type, status, reason] = text.split(' ');
  const message = `about ${type}`;
  return { type, status, reason, message, lastTransitionTime: '' } as Condition;
}

function standing(...conditions: readonly string[]): Standing {
  const role = { name: 'agent', summary: 'a worker node' };
  return { version: '1.2.3', role, conditions: conditions.map(condition) };
}

function annotations(ready: string, reason: string, failing = '', role: string | undefined = 'agent') {
  return {
    'slipway.dev/version': '1.2.3',
    ...(role && { 'slipway.dev/role': role }),
    'slipway.dev/ready': ready,
    'slipway.dev/reason': reason,
    'slipway.dev/failing': failing,
  };
}

const well = ['Ready True InSync', 'Registries True InSync'];
const denied = ['Ready True PullDenied', 'Registries False PullDenied'];
const nothing = toldBy({});
const asWell = toldBy(annotations('True', 'InSync'));
const asDenied = toldBy(annotations('True', 'PullDenied', 'Registries=PullDenied'));

function lines(told: Told, conditions: readonly string[], at = now): readonly string[] {
  const { events } = announcement(standing(...conditions), told, at);
  return events.map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}

describe('announcement', () => {
  const role = 'Normal RoleTaken agent: a worker node (slipway 1.2.3)';
  const drift = 'K3sBinary False VersionDrift';
  test.each<[string, Told, readonly string[], readonly string[]]>([
    ['a node before its first Ready', nothing, ['Ready Unknown ServiceStarting'], []],
    ['a node that is Ready for the first time', nothing, well, [role]],
    [
      'a node that is Ready but degraded for the first time',
      nothing,
      denied,
      [role, 'Warning PullDenied Registries: about Registries'],
    ],
    ['a node that is still Ready', asWell, well, []],
    [
      'a node whose role has changed',
      toldBy(annotations('True', 'InSync', '', 'server')),
      well,
      ['Normal RoleTaken agent: a worker node, after server (slipway 1.2.3)'],
    ],
    [
      'a node whose change of role waits for consent',
      toldBy(annotations('True', 'InSync', '', 'server')),
      ['Ready False RoleChanged', 'Role False RoleChanged'],
      ['Warning RoleChanged Role: about Role'],
    ],
    ['a condition that became False', asWell, denied, ['Warning PullDenied Registries: about Registries']],
    ['a condition that is still False', asDenied, denied, []],
    [
      'a False condition whose reason has changed',
      asDenied,
      ['Ready True RegistryUnavailable', 'Registries False RegistryUnavailable'],
      ['Warning RegistryUnavailable Registries: about Registries'],
    ],
    [
      'a condition that is True again',
      asDenied,
      well,
      ['Normal InSync Registries: in sync, after PullDenied'],
    ],
    [
      'a condition that has just changed and is not verified yet',
      asDenied,
      ['Ready True InSync', 'Registries True Changed'],
      [],
    ],
    ['a condition that is retried', asDenied, ['Ready True InSync', 'Registries Unknown PullDenied'], []],
    ['a blocked condition', asDenied, ['Ready Unknown Blocked', 'Registries Unknown Blocked'], []],
    ['a condition that no longer exists', asDenied, ['Ready True InSync'], []],
    [
      'two conditions that change in the same pass',
      asDenied,
      ['Ready True VersionDrift', drift, 'Registries True InSync'],
      [
        'Warning VersionDrift K3sBinary: about K3sBinary',
        'Normal InSync Registries: in sync, after PullDenied',
      ],
    ],
  ])('returns the events for %s', (_, told, conditions, expected) => {
    expect(lines(told, conditions)).toEqual(expected);
  });
});

describe('announcement', () => {
  test.each<[string, Told, readonly string[], object | undefined]>([
    ['a node that is Ready for the first time', nothing, well, annotations('True', 'InSync')],
    ['a node that is still Ready', asWell, well, undefined],
    [
      'a node that is not Ready and has no role',
      nothing,
      ['Ready False TokenRejected'],
      {
        ...{ 'slipway.dev/version': '1.2.3', 'slipway.dev/ready': 'False' },
        ...{ 'slipway.dev/reason': 'TokenRejected', 'slipway.dev/failing': '' },
      },
    ],
    [
      'a node that is not Ready and had a role',
      asWell,
      ['Ready Unknown NodeNotReady'],
      annotations('Unknown', 'NodeNotReady'),
    ],
    [
      'several False conditions, in their order',
      asWell,
      ['Ready True VersionDrift', 'K3sBinary False VersionDrift', 'Registries False PullDenied'],
      annotations('True', 'VersionDrift', 'K3sBinary=VersionDrift,Registries=PullDenied'),
    ],
    ['a condition that is True again', asDenied, well, annotations('True', 'InSync')],
    [
      'a condition that a new daemon retries',
      asDenied,
      ['Ready True InSync', 'Registries Unknown RegistryUnavailable'],
      annotations('True', 'InSync', 'Registries=PullDenied'),
    ],
    [
      'a condition that has just changed',
      asDenied,
      ['Ready True InSync', 'Registries True Changed'],
      annotations('True', 'InSync', 'Registries=PullDenied'),
    ],
    ['a condition that no longer exists', asDenied, ['Ready True InSync'], annotations('True', 'InSync')],
    [
      'a node with annotations of an older Slipway',
      toldBy({ ...annotations('True', 'InSync'), 'slipway.dev/version': '1.2.2' }),
      well,
      annotations('True', 'InSync'),
    ],
    [
      'a node with annotations edited by hand',
      toldBy({ ...annotations('True', 'InSync'), 'slipway.dev/failing': '=,x' }),
      well,
      annotations('True', 'InSync'),
    ],
  ])('returns the annotations for %s', (_, told, conditions, expected) => {
    expect(announcement(standing(...conditions), told, now).annotations).toEqual(expected);
  });

  test('uses valid annotation keys, with a DNS name and a name of at most 63 characters', () => {
    for (const key of Object.values(annotationKeys)) {
      expect(key).toMatch(/^[a-z0-9-]+(\.[a-z0-9-]+)+\/[A-Za-z0-9]([-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/);
      expect(key).not.toMatch(/kubernetes\.io|k8s\.io/);
    }
  });
});

describe('a condition that flaps', () => {
  /** The minute of each pass, its conditions, and the number of its events. */
  const story: readonly [number, readonly string[], number][] = [
    [0, denied, 1],
    [1, well, 1],
    [2, denied, 0],
    [3, well, 0],
    [4, denied, 0],
    [9.9, denied, 0],
    [10, denied, 1],
    [10.5, denied, 0],
    [11, well, 1],
    [30, well, 0],
  ];

  test('has at most one event per reason in ten minutes, and then one about its current state', () => {
    let told = asWell;
    for (const [minutes, conditions, events] of story) {
      const at = now + minutes * minute;
      expect([minutes, lines(told, conditions, at).length]).toEqual([minutes, events]);
      told = announcement(standing(...conditions), told, at).told;
    }
  });

  test('is announced at once after the clock was set back', () => {
    const { told } = announcement(standing(...denied), asWell, now);
    const after = announcement(standing(...well), told, now).told;
    expect(lines(after, denied, now - 60 * minute)).toHaveLength(1);
  });
});

test('toldBy treats the conditions in the annotations as announced, so that a new process repeats no event', () => {
  const first = announcement(standing(...denied), nothing, now);
  const begun = toldBy(first.annotations ?? {});
  expect(begun).toEqual({ ...first.told, annotations: first.annotations, times: {} });
  expect(announcement(standing(...denied), begun, now)).toMatchObject({ events: [], annotations: undefined });
});
