import { defineConfig } from 'vitest/config';

/** The tests that mutants are tried on: those that need no more than a second each. */
export default defineConfig({
  test: {
    include: [
      'test/unit/agent/**/*.test.ts',
      'test/contract/{host,host-memory}.test.ts',
      'test/integration/host/{files,lock}.test.ts',
    ],
    testTimeout: 20_000,
  },
});
