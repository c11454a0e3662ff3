import { describe, expect, test } from 'vitest';
import { NodeError, Recorded } from '../../../../src/agent/engine/errors.ts';
import { type Attempts, reconcile } from '../../../../src/agent/engine/reconcile.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const minute = 60_000;

function resource(id: string, check: Resource['check'], rest: Partial<Resource> = {}): Resource {
  return { id, summary: `make ${id}`, condition: 'System', check, ...rest };
}

function drifted(remedy: () => Promise<void>, blocks = true): Finding {
  return {
    state: 'Drifted',
    drift: { changes: [{ field: 'x', observed: 'a', desired: 'b' }], blocks, remedy },
  };
}

function step(finding: Finding): Finding {
  return finding.state === 'Drifted' ? { ...finding, drift: { ...finding.drift, partial: true } } : finding;
}

function setUp() {
  const host = memoryHost();
  const attempts: Attempts = new Map();
  const pass = async (...plan: readonly Resource[]) => reconcile(plan, { host, attempts, random: 0.5 });
  return { host, pass, attempts };
}

const good = resource('good', async () => inSync());
const broken = resource('broken', async () => {
  throw new NodeError('VaultForbidden', 'no', { endedBy: 'person' });
});

describe('needs', () => {
  test('a resource with an unsettled need is not checked, and its outcome names the root cause', async () => {
    const { pass } = setUp();
    const never = async () => expect.fail('must not be checked');
    const outcomes = await pass(
      broken,
      resource('second', never, { needs: ['broken'] }),
      resource('third', never, { needs: ['second'] }),
      resource('free', async () => inSync(), { needs: [] }),
    );
    expect(outcomes.map(({ state }) => state)).toEqual(['Failed', 'Blocked', 'Blocked', 'InSync']);
    expect(outcomes[2]).toMatchObject({ by: 'broken' });
  });

  test('a need that is missing from the plan blocks the resource', async () => {
    const { pass } = setUp();
    const [outcome] = await pass(resource('a', async () => inSync(), { needs: ['missing'] }));
    expect(outcome).toMatchObject({ state: 'Blocked', by: 'missing' });
  });

  test.each([
    ['a waiting finding blocks the dependant', async () => waiting('ServiceStarting', 'soon'), 'Blocked'],
    [
      'a recorded remedy blocks the dependant',
      async () => drifted(() => Promise.reject(new Recorded())),
      'Blocked',
    ],
    ['a change does not block the dependant', async () => drifted(async () => {}), 'InSync'],
    ['one step of a change blocks the dependant', async () => step(drifted(async () => {})), 'Blocked'],
    [
      'a failure with blocks: false does not block the dependant',
      () => Promise.reject(new NodeError('VersionDrift', '', { blocks: false })),
      'InSync',
    ],
    [
      'a failed remedy blocks the dependant',
      async () => drifted(() => Promise.reject(new NodeError('Unreachable', ''))),
      'Blocked',
    ],
    [
      'a failed remedy of a drift with blocks: false does not block the dependant',
      async () => drifted(() => Promise.reject(new NodeError('Unreachable', '')), false),
      'InSync',
    ],
  ] as const)('%s', async (_, check, expected) => {
    const { pass } = setUp();
    const outcomes = await pass(
      resource('first', check),
      resource('second', good.check, { needs: ['first'] }),
    );
    expect(outcomes[1]?.state).toBe(expected);
  });
});

describe('failures', () => {
  test('a failed remedy waits for its next attempt, but the check runs in every pass', async () => {
    const { host, pass } = setUp();
    const seen = { checks: 0, remedies: 0 };
    const failing = resource('a', async () => {
      seen.checks += 1;
      return drifted(async () => {
        seen.remedies += 1;
        throw new NodeError('Unreachable', 'down');
      });
    });
    await pass(failing);
    await pass(failing);
    expect(seen).toEqual({ checks: 2, remedies: 1 });
    host.advance(minute);
    await pass(failing);
    expect(seen).toEqual({ checks: 3, remedies: 2 });
  });

  test('a pass notices an outside repair before the next attempt is due', async () => {
    const { pass } = setUp();
    let repaired = false;
    const failing = resource('a', async () =>
      repaired
        ? inSync()
        : drifted(() => Promise.reject(new NodeError('SecretNotFound', 'no', { endedBy: 'person' }))),
    );
    expect((await pass(failing))[0]?.state).toBe('Failed');
    repaired = true;
    expect((await pass(failing))[0]?.state).toBe('InSync');
  });

  test('a resource with pacing waits until its attempts are used up, then fails and is retried every ten minutes', async () => {
    const { host, pass } = setUp();
    const paced = resource('a', () => Promise.reject(new NodeError('SecretNotFound', 'not there')), {
      pacing: { attempts: 3, every: 10_000 },
    });
    const states: unknown[] = [];
    for (let i = 0; i < 4; i += 1) {
      const [outcome] = await pass(paced);
      if (outcome?.state !== 'Waiting' && outcome?.state !== 'Failed') {
        return expect.fail();
      }
      states.push([outcome.state, outcome.message, (outcome.lookAgainAt - host.now()) / 1_000]);
      host.advance(outcome.lookAgainAt - host.now());
    }
    expect(states).toEqual([
      ['Waiting', 'not there (attempt 1 of 3)', 10],
      ['Waiting', 'not there (attempt 2 of 3)', 10],
      ['Failed', 'not there', 600],
      ['Failed', 'not there', 600],
    ]);
  });

  test('a pass before the next attempt is due does not count as an attempt', async () => {
    const { pass, attempts } = setUp();
    const failing = resource('a', () => Promise.reject(new NodeError('Unreachable', '')));
    for (let i = 0; i < 20; i += 1) {
      await pass(failing);
    }
    expect(attempts.get('a')?.failures).toBe(1);
  });

  test('an error that is not a NodeError is reported as a defect of Slipway', async () => {
    const { pass } = setUp();
    const [outcome] = await pass(resource('a', () => Promise.reject(new TypeError('x is undefined'))));
    expect(outcome).toMatchObject({
      reason: 'InternalError',
      message: expect.stringContaining('x is undefined'),
    });
  });
});

test('a resource that drifts again after five changes in a row fails with DidNotConverge', async () => {
  const { pass } = setUp();
  let remedies = 0;
  const restless = resource('a', async () =>
    drifted(async () => {
      remedies += 1;
    }),
  );
  const states: string[] = [];
  for (let i = 0; i < 7; i += 1) {
    states.push((await pass(restless))[0]?.state ?? '');
  }
  expect(states).toEqual(['Changed', 'Changed', 'Changed', 'Changed', 'Changed', 'Failed', 'Failed']);
  expect(remedies).toBe(5);
});

test('steps that change different fields are not counted together', async () => {
  const { pass } = setUp();
  let field = 0;
  const stepping = resource('a', async () => {
    field += 1;
    const changes = [{ field: `field ${field}`, observed: undefined, desired: 'set' }];
    return { state: 'Drifted', drift: { changes, partial: true, remedy: async () => {} } };
  });
  for (let i = 0; i < 12; i += 1) {
    expect((await pass(stepping))[0]?.state).toBe('Changed');
  }
});

test('a change that is made again after a wait counts as a repeat', async () => {
  const { pass } = setUp();
  let passes = 0;
  const restless = resource('a', async () => {
    passes += 1;
    return passes % 2 === 0 ? waiting('ServiceStarting', 'soon') : drifted(async () => {});
  });
  const states: string[] = [];
  for (let i = 0; i < 11; i += 1) {
    states.push((await pass(restless))[0]?.state ?? '');
  }
  expect(states.filter((state) => state === 'Changed')).toHaveLength(5);
  expect(states.at(-1)).toBe('Failed');
});

test.each([
  ['a wait of more than five minutes is reported as failed', {}, 'Failed'],
  ['an expected wait is never reported as failed', { isExpected: true }, 'Waiting'],
])('%s', async (_, options, state) => {
  const { host, pass } = setUp();
  const slow = resource('a', async () => waiting('ServiceStarting', 'later', options));
  await pass(slow);
  host.advance(24 * 60 * minute);
  expect((await pass(slow))[0]?.state).toBe(state);
});

test.each([
  ['a resource that is due again some time after each change is changed every time', 5_000, 'Changed'],
  [
    'a resource that is due again right after each change fails, because another process reverts it',
    0,
    'Failed',
  ],
])('%s', async (_, between, last) => {
  const { host, pass } = setUp();
  const rotating = resource('a', async () => {
    const found = drifted(async () => {});
    return found.state === 'Drifted' ? { ...found, drift: { ...found.drift, due: true } } : found;
  });
  let state: string | undefined;
  for (let i = 0; i < 20; i += 1) {
    host.advance(between);
    state = (await pass(rotating))[0]?.state;
  }
  expect(state).toBe(last);
});

test('a check that finds no drift between two changes resets the count of changes', async () => {
  const { pass } = setUp();
  let odd = true;
  const rotating = resource('a', async () => (odd ? drifted(async () => {}) : inSync()));
  for (let i = 0; i < 20; i += 1) {
    odd = i % 2 === 0;
    expect((await pass(rotating))[0]?.state).toBe(odd ? 'Changed' : 'InSync');
  }
});
