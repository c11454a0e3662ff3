/** A folder with the bundles that the tests of a run share. Vitest calls this file before and after them. */
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
