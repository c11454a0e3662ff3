import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/**
 * Creates an empty folder that is removed when the test ends; returns its path. A concurrent test passes its own
 * `whenFinished`.
 */
export async function temporaryFolder(whenFinished: typeof onTestFinished = onTestFinished): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  whenFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
