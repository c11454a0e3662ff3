import { expect, test } from 'vitest';
import { live } from './live.ts';
import { withoutTurns } from './plans.ts';

test('without turns, two agents are interrupted at once', async () => {
  const { failure } = await live({ seed: 1, servers: 1, agents: 4, makePlan: withoutTurns });
  expect(failure).toMatch(/without a turn/);
});
