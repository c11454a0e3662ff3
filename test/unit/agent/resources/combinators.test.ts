import { describe, expect, test } from 'vitest';
import { NodeError, Recorded } from '../../../../src/agent/engine/errors.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';
import { advisory } from '../../../../src/agent/engine/severity.ts';
import {
  heldBack,
  nonBlocking,
  observing,
  retelling,
  unless,
} from '../../../../src/agent/resources/combinators.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

const host = memoryHost();
const full = new NodeError('DiskFull', 'full', { endedBy: 'person', retry: { after: 7 } });
const drift = { state: 'Drifted', drift: { changes: [], remedy: async () => {} } } satisfies Finding;
const harmless = { state: 'Drifted', drift: { ...drift.drift, blocks: false } } satisfies Finding;
const starting = waiting('ServiceStarting', 'soon');

function resource(check: () => Promise<Finding> | Finding): Resource {
  return { id: 'a', summary: 'make a', condition: 'System', needs: ['b'], check: async () => check() };
}

function failing(error: unknown): Resource {
  return resource(() => Promise.reject(error));
}

function caught(checked: Resource): Promise<unknown> {
  return checked.check(host).then(String, (thrown: unknown) => thrown);
}

test('each keeps the id, the needs and the name', () => {
  const made = resource(inSync);
  const others = [
    unless(made, async () => undefined),
    heldBack(made, async () => undefined),
    nonBlocking(made),
    observing(
      () => made,
      0,
      async () => 1,
    ),
    retelling(made, async () => full),
  ];
  for (const other of others) {
    expect({ ...other, check: made.check }).toEqual(made);
  }
});

describe('unless', () => {
  test('an obstacle replaces the check, which does not run', async () => {
    const checked = unless(failing(new Error('checked')), async () => starting);
    expect(await checked.check(host)).toBe(starting);
  });

  test('an error of the obstacle replaces the check', async () => {
    expect(await caught(unless(resource(inSync), () => Promise.reject(full)))).toBe(full);
  });

  test('without an obstacle the check runs', async () => {
    expect(
      await unless(
        resource(() => drift),
        async () => undefined,
      ).check(host),
    ).toBe(drift);
  });
});

describe('heldBack', () => {
  test('only a finding with a remedy is tested for an obstacle', async () => {
    const asked = () => Promise.reject(new Error('asked'));
    for (const finding of [inSync(), starting]) {
      expect(
        await heldBack(
          resource(() => finding),
          asked,
        ).check(host),
      ).toBe(finding);
    }
  });

  test('a remedy without an obstacle stays', async () => {
    expect(
      await heldBack(
        resource(() => drift),
        async () => undefined,
      ).check(host),
    ).toBe(drift);
  });

  test.each([
    ['blocks as the drift does', drift, true],
    ['does not block if the drift does not', harmless, false],
  ])('an obstacle ends by a person, and %s', async (_, finding, blocks) => {
    const found = await heldBack(
      resource(() => finding),
      async () => full,
    ).check(host);
    expect(found).toEqual(waiting('DiskFull', 'full', { blocks, endedBy: 'person', after: 30_000 }));
  });

  test('a finding of the obstacle replaces the drift', async () => {
    const checked = heldBack(
      resource(() => drift),
      async (_, seen) => (seen === drift.drift ? starting : undefined),
    );
    expect(await checked.check(host)).toBe(starting);
  });
});

describe('nonBlocking', () => {
  test('a drift does not block', async () => {
    expect(await nonBlocking(resource(() => drift)).check(host)).toEqual(harmless);
  });

  test('an error does not block, and is otherwise unchanged', async () => {
    const { reason, message, retry } = full;
    expect(await caught(nonBlocking(failing(full)))).toMatchObject({ reason, message, retry, ...advisory });
  });

  test('a finding in sync or waiting is unchanged, as is an error that is not a NodeError', async () => {
    for (const finding of [inSync(), starting]) {
      expect(await nonBlocking(resource(() => finding)).check(host)).toBe(finding);
    }
    const recorded = new Recorded('noted');
    expect(await caught(nonBlocking(failing(recorded)))).toBe(recorded);
  });

  test('nothing changes if the condition does not hold', async () => {
    const nowhere = async () => false;
    expect(
      await nonBlocking(
        resource(() => drift),
        nowhere,
      ).check(host),
    ).toBe(drift);
    expect(await caught(nonBlocking(failing(full), nowhere))).toBe(full);
  });

  test('an error of the condition blocks', async () => {
    const untold = nonBlocking(resource(inSync), () => Promise.reject(full));
    expect(await caught(untold)).toBe(full);
  });

  test('the condition is tested before the check, which may change it', async () => {
    const order: string[] = [];
    const checked = resource(() => {
      order.push('check');
      return inSync();
    });
    await nonBlocking(checked, async () => order.push('where') > 0).check(host);
    expect(order).toEqual(['where', 'check']);
  });
});

test('observing makes the Resource from the observation of each check', async () => {
  let seen = 0;
  const of = (count: number) => resource(() => inSync({ message: `${count}` }));
  const checked = observing(of, 0, async () => ++seen);
  expect([await checked.check(host), await checked.check(host)]).toEqual([
    inSync({ message: '1' }),
    inSync({ message: '2' }),
  ]);
});

test('a failed observation replaces the check', async () => {
  const checked = observing(resource, inSync, () => Promise.reject(full));
  expect(await caught(checked)).toBe(full);
});

test('retelling rewords errors, and leaves defects and findings alone', async () => {
  const other = new NodeError('SecretNotFound', 'other');
  const retell = async () => other;
  const defect = new TypeError('defect');
  expect(await caught(retelling(failing(full), retell))).toBe(other);
  expect(await caught(retelling(failing(defect), retell))).toBe(defect);
  expect(
    await retelling(
      resource(() => drift),
      retell,
    ).check(host),
  ).toBe(drift);
});
