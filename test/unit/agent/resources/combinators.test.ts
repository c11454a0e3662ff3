import { describe, expect, test } from 'vitest';
import { NodeError, Recorded } from '../../../../src/agent/engine/errors.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';
import { advisory } from '../../../../src/agent/engine/severity.ts';
import {
  heldBack,
  neverBlocking,
  nonBlocking,
  observing,
  preceded,
  retelling,
  unless,
  withoutMessage,
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

test('preceded acts before a remedy, and only then', async () => {
  const done: string[] = [];
  const act = async () => void done.push('act');
  const remedy = async () => void done.push('remedy');
  expect(await preceded(resource(inSync), act).check(host)).toEqual(inSync());
  const finding = await preceded(
    resource(() => ({ state: 'Drifted', drift: { changes: [], remedy } })),
    act,
  ).check(host);
  expect(done).toEqual([]);
  await (finding.state === 'Drifted' && finding.drift.remedy(host));
  expect(done).toEqual(['act', 'remedy']);
});

test('each combinator keeps all properties of a Resource except its check', () => {
  const made = resource(inSync);
  const others = [
    unless(made, async () => undefined),
    heldBack(made, async () => undefined),
    nonBlocking(made),
    neverBlocking(made),
    preceded(made, async () => {}),
    withoutMessage(made),
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
  test('returns the finding of the obstacle, and does not run the check', async () => {
    const checked = unless(failing(new Error('checked')), async () => starting);
    expect(await checked.check(host)).toBe(starting);
  });

  test('throws the error of the obstacle, and does not run the check', async () => {
    expect(await caught(unless(resource(inSync), () => Promise.reject(full)))).toBe(full);
  });

  test('runs the check if there is no obstacle', async () => {
    expect(
      await unless(
        resource(() => drift),
        async () => undefined,
      ).check(host),
    ).toBe(drift);
  });
});

describe('heldBack', () => {
  test('looks for an obstacle only if the Resource has drifted', async () => {
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

  test('returns the drift if there is no obstacle', async () => {
    expect(
      await heldBack(
        resource(() => drift),
        async () => undefined,
      ).check(host),
    ).toBe(drift);
  });

  test.each([
    ['blocks if the drift blocks', drift, true],
    ['does not block if the drift does not', harmless, false],
  ])('waits for a person if the obstacle is an error, and %s', async (_, finding, blocks) => {
    const found = await heldBack(
      resource(() => finding),
      async () => full,
    ).check(host);
    expect(found).toEqual(waiting('DiskFull', 'full', { blocks, endedBy: 'person', after: 30_000 }));
  });

  test('returns the finding of the obstacle instead of the drift', async () => {
    const checked = heldBack(
      resource(() => drift),
      async (_, seen) => (seen === drift.drift ? starting : undefined),
    );
    expect(await checked.check(host)).toBe(starting);
  });
});

describe('nonBlocking', () => {
  test('returns a drift that does not block', async () => {
    expect(await nonBlocking(resource(() => drift)).check(host)).toEqual(harmless);
  });

  test('throws an error that does not block and is otherwise unchanged', async () => {
    const { reason, message, retry } = full;
    expect(await caught(nonBlocking(failing(full)))).toMatchObject({ reason, message, retry, ...advisory });
  });

  test('does not change an in-sync or waiting finding, or an error that is not a NodeError', async () => {
    for (const finding of [inSync(), starting]) {
      expect(await nonBlocking(resource(() => finding)).check(host)).toBe(finding);
    }
    const recorded = new Recorded('noted');
    expect(await caught(nonBlocking(failing(recorded)))).toBe(recorded);
  });

  test('changes neither the drift nor the error while its predicate is false', async () => {
    const nowhere = async () => false;
    expect(
      await nonBlocking(
        resource(() => drift),
        nowhere,
      ).check(host),
    ).toBe(drift);
    expect(await caught(nonBlocking(failing(full), nowhere))).toBe(full);
  });

  test('throws an error of its predicate unchanged, so that the error blocks', async () => {
    const untold = nonBlocking(resource(inSync), () => Promise.reject(full));
    expect(await caught(untold)).toBe(full);
  });

  test('tests its predicate before it runs the check', async () => {
    const order: string[] = [];
    const checked = resource(() => {
      order.push('check');
      return inSync();
    });
    await nonBlocking(checked, async () => order.push('where') > 0).check(host);
    expect(order).toEqual(['where', 'check']);
  });
});

test('observing makes a new Resource from the observation of each check', async () => {
  let seen = 0;
  const of = (count: number) => resource(() => inSync({ message: `${count}` }));
  const checked = observing(of, 0, async () => ++seen);
  expect([await checked.check(host), await checked.check(host)]).toEqual([
    inSync({ message: '1' }),
    inSync({ message: '2' }),
  ]);
});

test('observing throws the error of a failed observation', async () => {
  const checked = observing(resource, inSync, () => Promise.reject(full));
  expect(await caught(checked)).toBe(full);
});

test('retelling replaces a NodeError, and returns or throws everything else unchanged', async () => {
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

test('withoutMessage removes only the message of an in-sync finding', async () => {
  const told = inSync({ message: 'all there', until: 7 });
  expect(await withoutMessage(resource(() => told)).check(host)).toEqual(inSync({ until: 7 }));
  expect(await withoutMessage(resource(() => starting)).check(host)).toBe(starting);
});

test('neverBlocking makes drift, errors and waits non-blocking', async () => {
  expect(await neverBlocking(resource(() => drift)).check(host)).toEqual(harmless);
  expect(await neverBlocking(resource(() => starting)).check(host)).toEqual({ ...starting, blocks: false });
  expect(await neverBlocking(resource(() => inSync())).check(host)).toEqual(inSync());
  await expect(neverBlocking(failing(full)).check(host)).rejects.toMatchObject({ ...full, blocks: false });
});
