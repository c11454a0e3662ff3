import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

/** Files below integration that need a separate process: msal keeps tokens in statics, and a mock replaces a module. */
const isolated = [
  'test/integration/azure/**/*.test.ts',
  'test/integration/credential-provider/fetch.test.ts',
  'test/integration/host/remove-tree.test.ts',
];

/** These wait for processes, so one more of them at a time keeps the processors busy. They run last. */
const waiting = { maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 1 } };

/** `npm test` runs every project but the last five: `long` takes minutes, the others need what `npm run package` makes. */
export default defineConfig({
  plugins: [namesWhatRuns()],
  test: {
    pool: 'forks',
    // Imports like Node: the interop of Vitest puts a Proxy in front of each CommonJS module.
    deps: { interopDefault: false },
    // Vitest leaves one processor unused, which is half of a machine with two.
    maxWorkers: '100%',
    // Each project has its own transformer; with this a source is transformed once for all projects.
    fsModuleCache: true,
    // Only a test that hangs may reach a limit, however busy the machine is; the defaults are 5, 10 and 1 s.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // Titles show the whole name of a case.
    taskTitleValueFormatTruncate: 0,
    projects: [
      project('architecture', { include: ['test/architecture.test.ts', 'test/prose/*.test.ts'] }),
      project('unit', { isolate: false }),
      project('contract', { isolate: false, ...waiting }),
      project('scenario', { isolate: false }),
      project('integration', {
        exclude: isolated,
        isolate: false,
        globalSetup: 'test/integration/bundles.ts',
        ...waiting,
      }),
      project('isolated', { include: isolated, ...waiting }),
      project('long', { testTimeout: 1_200_000 }),
      project('security'),
      project('package'),
      // One file at a time: on a busy machine a node renews its passwords too late.
      project('lab', { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }),
      // Run by test/boot/boot.ts, each file in separate namespaces.
      project('boot', { testTimeout: 600_000, hookTimeout: 600_000 }),
    ],
  },
});

/** Names the files that were running when SIGTERM, which `timeout` sends, ended the run. */
function namesWhatRuns(): Plugin {
  let isListening = false;
  return {
    name: 'names-what-runs',
    configureVitest({ vitest }) {
      // Called for each project.
      if (isListening) {
        return;
      }
      isListening = true;
      process.once('SIGTERM', () => {
        const running = vitest.state.getTestModules().filter((file) => file.state() === 'pending');
        for (const { moduleId } of running) {
          process.stderr.write(`still running: ${relative('.', moduleId)}\n`);
        }
        process.exit(143);
      });
    },
  };
}

/** The tests below test/NAME. */
function project(
  name: string,
  test: {
    include?: string[];
    exclude?: string[];
    globalSetup?: string;
    testTimeout?: number;
    hookTimeout?: number;
    fileParallelism?: boolean;
    maxWorkers?: number;
    sequence?: { groupOrder: number };
    isolate?: boolean;
  } = {},
) {
  return { extends: true as const, test: { name, include: [`test/${name}/**/*.test.ts`], ...test } };
}
