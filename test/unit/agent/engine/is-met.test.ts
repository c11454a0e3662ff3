import { expect, test } from 'vitest';
import { isMet } from '../../../../src/agent/engine/is-met.ts';
import { inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';

const resource: Resource = { id: 'a', summary: 'make a', condition: 'System', check: async () => inSync() };
const remedy = async () => {};

test.each([
  ['what is in sync', inSync(), true],
  ['a drift', { state: 'Drifted', drift: { changes: [], remedy } }, false],
  ['a drift that does not block', { state: 'Drifted', drift: { changes: [], blocks: false, remedy } }, true],
  ['what waits', waiting('ServiceStarting', ''), false],
  ['what waits and does not block', waiting('ServiceStarting', '', { blocks: false }), true],
  ['a check that failed', { state: 'Failed', blocks: true }, false],
  ['a check that failed and does not block', { state: 'Failed', blocks: false }, true],
  ['a change', { resource, state: 'Changed', did: '', changes: [] }, true],
  ['a step of a change', { resource, state: 'Changed', did: '', changes: [], partial: true }, false],
  ['what a dry run recorded', { resource, state: 'Recorded', changes: [] }, false],
  ['what waits for another', { state: 'Blocked' }, false],
  ['what is not there', undefined, false],
] as const)('dependants of %s go on, or wait', (_, known, expected) => {
  expect(isMet(known)).toBe(expected);
});
