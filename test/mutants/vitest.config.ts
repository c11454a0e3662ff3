import { defineConfig } from 'vitest/config';
import { tests } from './protected.ts';

export default defineConfig({
  // All files run in one process, like the unit tests, because most of the time of a mutant goes into loading modules.
  test: { include: tests, isolate: false, testTimeout: 20_000 },
});
