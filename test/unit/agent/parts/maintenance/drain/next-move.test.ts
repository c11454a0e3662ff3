import { describe, expect, test } from 'vitest';
import { type DrainLimit, nextMove } from '../../../../../../src/agent/parts/maintenance/drain/next-move.ts';
import type { ApiPod } from '../../../../../../src/agent/parts/maintenance/drain/pods.ts';
import type { DrainRecord } from '../../../../../../src/agent/parts/maintenance/drain/record.ts';

/** The pods of a case. A pod whose name begins with `-` is ending; a grace period may follow, as in `-a/3600`. */
type Pods = readonly string[];

function somePod(text: string): ApiPod {
  const [name = '', grace] = text.replace('-', '').split('/');
  const metadata = { name, namespace: 'default', uid: name };
  return {
    metadata: grace === undefined ? metadata : { ...metadata, deletionGracePeriodSeconds: Number(grace) },
  };
}

function sorted(pods: Pods) {
  return {
    toEvict: pods.filter((pod) => !pod.startsWith('-')).map(somePod),
    ending: pods.filter((pod) => pod.startsWith('-')).map(somePod),
    left: [],
  };
}

/** A drain that began at 1,000 s. */
function began(changes: Partial<DrainRecord> = {}): DrainRecord {
  return { turn: 'n', boot: 'b', since: 1_000, refused: {}, ...changes };
}

function refused(untils: Readonly<Record<string, number | undefined>>): Partial<DrainRecord> {
  const entries = Object.entries(untils).map(([uid, until]) => [
    uid,
    { says: 'no', ...(until !== undefined && { until }) },
  ]);
  return { refused: Object.fromEntries(entries), round: 1_000 };
}

function move(
  pods: Pods,
  record: DrainRecord | undefined,
  now: number,
  onTimeout: DrainLimit['onTimeout'] = 'giveUp',
) {
  const found = nextMove(sorted(pods), record, { timeout: 600_000, onTimeout }, now);
  switch (found.kind) {
    case 'wait':
      return `wait ${found.seconds}`;
    case 'end':
      return found.how;
    default:
      return `${found.kind} ${found.pods.map(({ metadata }) => metadata.name).join(' ')}`.trim();
  }
}

describe('before the time limit, nextMove', () => {
  test.each<[string, Pods, DrainRecord | undefined, number, string]>([
    ['ends the drain of an empty node at once', [], undefined, 0, 'drained'],
    ['begins with all pods', ['a', 'b'], undefined, 1_000, 'evict a b'],
    ['begins the drain even if the only pod is already ending', ['-a'], undefined, 1_000, 'evict'],
    ['checks a pod that is ending every two seconds', ['-a'], began({ round: 1_000 }), 1_001, 'wait 2'],
    ['evicts after a crash between the record and the first eviction', ['a'], began(), 1_001, 'evict a'],
    ['evicts a pod that came after the first round', ['a', '-b'], began({ round: 1_000 }), 1_005, 'evict a'],
    ['leaves five seconds between two rounds', ['a'], began({ round: 1_000 }), 1_001, 'wait 4'],
    ['waits until a refused pod is due', ['a'], began(refused({ a: 1_010 })), 1_006, 'wait 4'],
    ['evicts a refused pod again once it is due', ['a'], began(refused({ a: 1_010 })), 1_010, 'evict a'],
    [
      'evicts only the pods that are due',
      ['a', 'b'],
      began(refused({ a: 1_010, b: 1_020 })),
      1_012,
      'evict a',
    ],
    [
      'does not try again to evict a pod that cannot be evicted',
      ['a', 'b'],
      began(refused({ a: undefined })),
      1_100,
      'evict b',
    ],
    [
      'waits for an ending pod beside one that cannot be evicted',
      ['a', '-b'],
      began(refused({ a: undefined })),
      1_100,
      'wait 2',
    ],
    ['forgets the refusal of a pod that is gone', [], began(refused({ a: undefined })), 1_100, 'drained'],
    ['waits no longer than the limit', ['-a'], began({ round: 1_000 }), 1_599, 'wait 1'],
  ])('%s', (_, pods, record, now, expected) => {
    expect(move(pods, record, now)).toBe(expected);
  });
});

describe('at the time limit, nextMove', () => {
  test.each<[string, Pods, DrainRecord, number, DrainLimit['onTimeout'], string]>([
    ['gives up', ['a'], began(refused({ a: 1_601 })), 1_600, 'giveUp', 'gaveUp'],
    ['gives up for a pod that never ends', ['-a'], began({ round: 1_000 }), 1_600, 'giveUp', 'gaveUp'],
    [
      'gives up early if only pods that cannot be evicted are left',
      ['a'],
      began(refused({ a: undefined })),
      1_001,
      'giveUp',
      'gaveUp',
    ],
    ['goes on with pods left', ['a', '-b'], began(), 1_600, 'proceed', 'wentOn'],
    [
      'goes on early if only pods that cannot be evicted are left',
      ['a'],
      began(refused({ a: undefined })),
      1_001,
      'proceed',
      'wentOn',
    ],
    ['ends a drain without pods, whatever the setting', [], began(), 9_999, 'giveUp', 'drained'],
    ['deletes the pods that are left', ['a', '-b'], began(refused({ a: 1_601 })), 1_600, 'force', 'delete a'],
    [
      'deletes early the pods that cannot be evicted',
      ['a'],
      began(refused({ a: undefined })),
      1_001,
      'force',
      'delete a',
    ],
    ['deletes pods although Slipway did not run at the limit', ['a'], began(), 5_000, 'force', 'delete a'],
    [
      'waits for the grace period of deleted pods',
      ['-a'],
      began({ forced: 1_600, round: 1_600 }),
      1_602,
      'force',
      'wait 2',
    ],
    [
      'deletes a pod again if the first deletion had no effect',
      ['a'],
      began({ forced: 1_600, round: 1_600 }),
      1_605,
      'force',
      'delete a',
    ],
    [
      'goes on after the grace period',
      ['-a'],
      began({ forced: 1_600, round: 1_600 }),
      1_660,
      'force',
      'wentOn',
    ],
    [
      'goes on although no deletion succeeds',
      ['a'],
      began({ forced: 1_600, round: 1_659 }),
      1_660,
      'force',
      'wentOn',
    ],
    [
      'waits longer for a long grace period',
      ['-a/120'],
      began({ forced: 1_600, round: 1_600 }),
      1_749,
      'force',
      'wait 1',
    ],
    [
      'waits for a grace period at most until twice the limit',
      ['-a/3600'],
      began({ forced: 1_600, round: 1_600 }),
      2_200,
      'force',
      'wentOn',
    ],
    [
      'waits a minute for a pod that is only ending, and then goes on',
      ['-a'],
      began({ round: 1_000 }),
      1_660,
      'force',
      'wentOn',
    ],
  ])('$0 (onTimeout: $4)', (_, pods, record, now, onTimeout, expected) => {
    expect(move(pods, record, now, onTimeout)).toBe(expected);
  });

  test('never waits after twice the limit, whatever the pods are', () => {
    for (const onTimeout of ['giveUp', 'proceed', 'force'] as const) {
      for (const pods of [['a'], ['-a'], ['a', '-b/86400'], ['-a/86400']]) {
        for (const record of [
          began(),
          began({ forced: 1_600 }),
          began(refused({ a: 1e9 })),
          began(refused({ a: undefined })),
        ]) {
          expect(move(pods, record, 2_200, onTimeout)).toMatch(
            onTimeout === 'giveUp' ? 'gaveUp' : /wentOn|delete/,
          );
        }
      }
    }
  });
});
