/**
 * The global setup of Vitest: creates the folder of the bundles that all tests of a run share, and removes it after the
 * run.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly bundles: string;
  }
}

export function setup({ provide }: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bundles-'));
  provide('bundles', folder);
  return () => rmSync(folder, { recursive: true });
}
