import { expect, test } from 'vitest';
import { isMet } from '../../../../src/agent/engine/is-met.ts';
import { inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';

const resource: Resource = { id: 'a', summary: 'make a', condition: 'System', check: async () => inSync() };
const remedy = async () => {};

test.each([
  ['a resource in sync', inSync(), true],
  ['a drift', { state: 'Drifted', drift: { changes: [], remedy } }, false],
  ['a drift that does not block', { state: 'Drifted', drift: { changes: [], blocks: false, remedy } }, true],
  ['a waiting resource', waiting('ServiceStarting', ''), false],
  ['a waiting resource that does not block', waiting('ServiceStarting', '', { blocks: false }), true],
  ['a check that failed', { state: 'Failed', blocks: true }, false],
  ['a check that failed and does not block', { state: 'Failed', blocks: false }, true],
  ['a change', { resource, state: 'Changed', did: '', changes: [] }, true],
  ['a step of a change', { resource, state: 'Changed', did: '', changes: [], partial: true }, false],
  ['a change recorded by a dry run', { resource, state: 'Recorded', changes: [] }, false],
  ['a blocked resource', { state: 'Blocked' }, false],
  ['a missing resource', undefined, false],
] as const)('isMet decides whether the dependants of %s may run', (_, known, expected) => {
  expect(isMet(known)).toBe(expected);
});
