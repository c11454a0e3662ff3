import { defineConfig } from 'vitest/config';
import { tests } from './protected.ts';

export default defineConfig({
  // One process for all files, like the unit tests, since a mutant spends most of its time loading.
  test: { include: tests, isolate: false, testTimeout: 20_000 },
});
