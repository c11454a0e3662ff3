import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchDirectories } from '../../../src/agent/host/files/directory-watch.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slipway-watch-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('several writes in quick succession are reported once, and a missing directory is skipped', async () => {
  const onChange = vi.fn();
  watchDirectories([{ directory: join(directory, 'missing') }, { directory }], onChange);
  for (const name of ['a', 'b', 'a']) {
    writeFileSync(join(directory, name), name);
  }
  await expect.poll(() => onChange.mock.calls.length, { timeout: 60_000 }).toBe(1);
  rmSync(join(directory, 'a'));
  await expect.poll(() => onChange.mock.calls.length, { timeout: 60_000 }).toBe(2);
});

test('changes that follow each other without a pause are still reported', async () => {
  const onChange = vi.fn();
  watchDirectories([{ directory }], onChange);
  const writeAndLook = () => {
    writeFileSync(join(directory, 'a'), 'a');
    return onChange.mock.calls.length;
  };
  await expect.poll(writeAndLook, { interval: 50, timeout: 60_000 }).toBeGreaterThan(0);
});

test('the watch of a single file ignores the other files in its directory', async () => {
  const [ofFile, ofAll] = [vi.fn(), vi.fn()];
  // The watch of the single file is registered first, so a wrong report to `ofFile` would precede the report to
  // `ofAll`.
  watchDirectories([{ directory, name: 'x.yaml' }], ofFile);
  watchDirectories([{ directory }], ofAll);
  writeFileSync(join(directory, 'other'), '');
  await expect.poll(() => ofAll.mock.calls.length, { timeout: 60_000 }).toBe(1);
  expect(ofFile).not.toHaveBeenCalled();
  writeFileSync(join(directory, 'x.yaml'), '');
  await expect.poll(() => ofFile.mock.calls.length, { timeout: 60_000 }).toBe(1);
});

test('changes in a directory that was created or replaced after the start are reported', async () => {
  const onChange = vi.fn();
  const inner = join(directory, 'config.d');
  watchDirectories([{ directory, name: 'config.d' }, { directory: inner }], onChange);
  const reported = (times: number) =>
    expect.poll(() => onChange.mock.calls.length, { timeout: 10_000 }).toBe(times);
  mkdirSync(inner);
  await reported(1);
  writeFileSync(join(inner, 'a'), '1');
  await reported(2);
  rmSync(inner, { recursive: true });
  mkdirSync(inner);
  await reported(3);
  writeFileSync(join(inner, 'a'), '2');
  await reported(4);
});
