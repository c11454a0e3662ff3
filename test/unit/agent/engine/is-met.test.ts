import { expect, test } from 'vitest';
import { isMet } from '../../../../src/agent/engine/is-met.ts';
import { inSync, type Resource, waiting } from '../../../../src/agent/engine/resource.ts';

const resource: Resource = { id: 'a', summary: 'make a', condition: 'System', check: async () => inSync() };
const remedy = async () => {};

test.each([
  ['true for a resource in sync', inSync(), true],
  ['false for a drift', { state: 'Drifted', drift: { changes: [], remedy } }, false],
  [
    'true for a drift that does not block',
    { state: 'Drifted', drift: { changes: [], blocks: false, remedy } },
    true,
  ],
  ['false for a waiting resource', waiting('ServiceStarting', ''), false],
  [
    'true for a waiting resource that does not block',
    waiting('ServiceStarting', '', { blocks: false }),
    true,
  ],
  ['false for a check that failed', { state: 'Failed', blocks: true }, false],
  ['true for a check that failed and does not block', { state: 'Failed', blocks: false }, true],
  ['true for a change', { resource, state: 'Changed', did: '', changes: [] }, true],
  [
    'false for a step of a change',
    { resource, state: 'Changed', did: '', changes: [], partial: true },
    false,
  ],
  ['false for a change recorded by a dry run', { resource, state: 'Recorded', changes: [] }, false],
  ['false for a blocked resource', { state: 'Blocked' }, false],
  ['false for a missing resource', undefined, false],
] as const)('isMet is %s', (_, known, expected) => {
  expect(isMet(known)).toBe(expected);
});
