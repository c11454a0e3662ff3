import { expect, test } from 'vitest';
import { machineFacts } from '../../../src/agent/host/facts.ts';

test('the machine tells what it is', () => {
  const facts = machineFacts();
  expect(facts.arch).toBe(process.arch);
  expect(facts.memoryMb).toBeGreaterThan(128);
  expect(facts.addresses).not.toContain('127.0.0.1');
});
