import { expect, test } from 'vitest';
import { diskFreeMb, machineFacts } from '../../../src/agent/host/facts.ts';
import { temporaryFolder } from './folder.ts';

test('the machine tells what it is', async () => {
  const facts = await machineFacts();
  expect(facts.arch).toBe(process.arch);
  expect(facts.memoryMb).toBeGreaterThan(128);
  expect(facts.memoryAvailableMb).toBeLessThanOrEqual(facts.memoryMb);
  expect(facts.os.id).toMatch(/^[a-z]+$/);
  expect(facts.addresses).not.toContain('127.0.0.1');
});

test('free space is told of folders that are not there yet, too', async () => {
  const root = await temporaryFolder();
  expect(await diskFreeMb(root)).toBeGreaterThan(0);
  expect(await diskFreeMb(`${root}/var/lib/rancher`)).toBeGreaterThan(0);
});
