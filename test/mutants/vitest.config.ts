import { defineConfig } from 'vitest/config';
import { tests } from './protected.ts';

export default defineConfig({
  // All files run in one process, like the unit tests, since loading takes most of the time of a mutant.
  test: { include: tests, isolate: false, testTimeout: 20_000 },
});
