import { expect, test } from 'vitest';
import { conditionProbes } from '../../../../src/agent/doctor/conditions.ts';
import { examine } from '../../../../src/agent/doctor/probe.ts';
import { NodeError } from '../../../../src/agent/engine/errors.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';
import { memoryHost } from '../../../lab/memory-host.ts';

function resource(id: string, given: Finding | NodeError, rest: Partial<Resource> = {}): Resource {
  const check = async () => {
    if (given instanceof NodeError) {
      throw given;
    }
    return given;
  };
  return { id, summary: `make ${id}`, condition: 'System', check, ...rest };
}

const drifted: Finding = {
  state: 'Drifted',
  drift: { changes: [], remedy: () => expect.fail('nothing is changed') },
};

async function lookedAt(...plan: readonly Resource[]) {
  const host = memoryHost();
  const found = await examine(conditionProbes(host, plan), { now: () => host.now() });
  expect(host.journal).toEqual([]);
  return found.map(({ what, level, reason, message }) => [what, level, reason ?? '', message].join(' | '));
}

test('the condition probes return one verdict per condition, in order, with the last message of the checks', async () => {
  const ready = resource('c', inSync({ message: 'node is Ready' }), { condition: 'NodeReady' });
  expect(await lookedAt(ready, resource('a', inSync({ message: 'first' })), resource('b', inSync()))).toEqual(
    ['System | ok |  | first', 'NodeReady | ok |  | node is Ready'],
  );
});

test('the condition probes leave out a condition whose resources are all quiet', async () => {
  const quiet = { isQuiet: true };
  expect(
    await lookedAt(
      resource('a', inSync(), quiet),
      resource('b', inSync(), { condition: 'NodeReady' }),
      resource('c', inSync(), { condition: 'NodeReady', ...quiet }),
    ),
  ).toEqual(['NodeReady | ok |  | NodeReady is as it should be']);
});

test('the condition probes report pending changes without making them, and skip resources that depend on them', async () => {
  const later = resource('b', new NodeError('NodeNotReady', 'never asked'), {
    condition: 'NodeReady',
    needs: ['a'],
  });
  expect(await lookedAt(resource('a', drifted), later)).toEqual([
    'System | warning |  | 1 to change: make a',
    'NodeReady | skipped |  | waits for a',
  ]);
});

test('the condition probes count all pending changes, and name each as the plan does', async () => {
  const found = await lookedAt(resource('a', drifted), resource('b', inSync()), resource('c', drifted));
  expect(found).toEqual(['System | warning |  | 2 to change: make a; make c']);
});

test('the condition probes check a needed resource before its dependant and only once, even if its condition comes later', async () => {
  let looks = 0;
  const check = async () => {
    looks += 1;
    return inSync({ message: 'seen' });
  };
  const needed = { ...resource('late', inSync(), { condition: 'NodeReady' }), check };
  const first = resource('first', inSync({ message: 'well' }), { needs: ['late'] });
  expect(await lookedAt(first, needed)).toEqual(['System | ok |  | well', 'NodeReady | ok |  | seen']);
  expect(looks).toBe(1);
});

test('the condition probes check a resource despite drift, errors and waits of its needs that do not block', async () => {
  const harmless: Finding = {
    state: 'Drifted',
    drift: { changes: [], blocks: false, remedy: async () => {} },
  };
  const untroubled = new NodeError('TaintNotApplied', 'no taint', { blocks: false });
  const plan = ['a', 'b', 'c'].map((id, at) =>
    resource(id, [harmless, untroubled, waiting('Recorded', 'not asked', { blocks: false })][at] ?? inSync()),
  );
  const last = resource('d', inSync({ message: 'looked at' }), {
    condition: 'NodeReady',
    needs: ['a', 'b', 'c'],
  });
  expect(await lookedAt(...plan, last)).toEqual([
    'System | warning | TaintNotApplied | no taint',
    'NodeReady | ok |  | looked at',
  ]);
});

test.each(['ServiceStarting', 'InProgress'] as const)(
  'the condition probes report a wait with the reason %s as a warning',
  async (reason) => {
    expect(await lookedAt(resource('a', waiting(reason, 'takes a minute')))).toEqual([
      `System | warning | ${reason} | takes a minute`,
    ]);
  },
);

test('the condition probes report the one of several problems that blocks', async () => {
  const harmless = new NodeError('TaintNotApplied', 'no taint', { blocks: false });
  const grave = new NodeError('VaultForbidden', 'may not read it');
  expect(await lookedAt(resource('a', harmless), resource('b', grave), resource('c', drifted))).toEqual([
    'System | failure | VaultForbidden | may not read it',
  ]);
  expect(
    await lookedAt(resource('a', harmless), resource('b', waiting('NodeNotReady', 'no network'))),
  ).toEqual(['System | failure | NodeNotReady | no network']);
  expect(await lookedAt(resource('a', waiting('NodeNotReady', 'no network')))).toEqual([
    'System | failure | NodeNotReady | no network',
  ]);
});
