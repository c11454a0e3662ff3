import { defineConfig } from 'vitest/config';
import { tests } from './protected.ts';

export default defineConfig({
  // All files run in one process, like the unit tests, because loading modules takes most of the time that a mutant
  // needs.
  test: { include: tests, isolate: false, testTimeout: 20_000 },
});
