import { defineConfig } from 'vitest/config';
import { tests } from './protected.ts';

export default defineConfig({
  // One process for all files, as the unit tests have it, since most of a mutant's time is loading.
  test: { include: tests, isolate: false, testTimeout: 20_000 },
});
