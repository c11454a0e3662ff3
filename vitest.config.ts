import { defineConfig } from 'vitest/config';

/** `npm test` runs every project but the last four, which need what `npm run package` makes, `boot` root as well. */
export default defineConfig({
  test: {
    pool: 'forks',
    projects: [
      project('architecture', { include: ['test/architecture.test.ts'] }),
      project('unit', { testTimeout: 20_000 }),
      project('contract', { testTimeout: 60_000 }),
      project('scenario', { testTimeout: 60_000 }),
      project('integration', { testTimeout: 60_000 }),
      project('security', { testTimeout: 60_000 }),
      project('package', { testTimeout: 180_000 }),
      // One file at a time: a node that is kept from its turn lets its passwords end.
      project('lab', { testTimeout: 240_000, hookTimeout: 240_000, fileParallelism: false }),
      // Run by test/boot/boot.ts, each file in namespaces of its own.
      project('boot', { testTimeout: 300_000, hookTimeout: 180_000 }),
    ],
  },
});

/** The tests below test/NAME. */
function project(
  name: string,
  test: { include?: string[]; testTimeout?: number; hookTimeout?: number; fileParallelism?: boolean } = {},
) {
  return { extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`], ...test } };
}
