import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchDirectories } from '../../../src/agent/host/directory-watch.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-watch-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('several writes in a row are told once, a missing directory is passed over', async () => {
  const onChange = vi.fn();
  watchDirectories([join(directory, 'missing'), directory], onChange);
  for (const name of ['a', 'b', 'a']) writeFileSync(join(directory, name), name);
  await expect.poll(() => onChange.mock.calls.length, { timeout: 10_000 }).toBe(1);
  rmSync(join(directory, 'a'));
  await expect.poll(() => onChange.mock.calls.length, { timeout: 10_000 }).toBe(2);
});
