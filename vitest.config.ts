import { availableParallelism } from 'node:os';
import { relative } from 'node:path';
import { defineConfig, type Plugin } from 'vitest/config';

/** The integration tests that need a separate process: msal keeps tokens in statics, and a mock replaces a module. */
const isolated = [
  'test/integration/azure/**/*.test.ts',
  'test/integration/credential-provider/fetch.test.ts',
  'test/integration/host/remove-tree.test.ts',
];

/** The integration tests that start many processes, mostly Slipway from its sources, which takes half a minute. */
const manyStarts = [
  'test/integration/credential-provider/{command,deadline}.test.ts',
  'test/integration/daemon/{jobs,new-process,watched-files}.test.ts',
  'test/integration/host/{database,lock,signals,two-writers}.test.ts',
  'test/integration/setup/without-proc.test.ts',
  'test/integration/bad-input/process.test.ts',
  'test/integration/{restore,kubeconfig}.test.ts',
];

/**
 * The options of projects that wait for processes: one more worker keeps the processors busy, and these projects run
 * last.
 */
const waiting = { maxWorkers: availableParallelism() + 1, sequence: { groupOrder: 1 } };

/**
 * The test projects. `npm test` runs all but `stand-ins`, which tests the lab rather than Slipway, `processes`,
 * `sequences`, `fleet-long` and `long`, which take long, and the last four, which need the result of `npm run package`.
 */
export default defineConfig({
  plugins: [namesWhatRuns()],
  test: {
    pool: 'forks',
    // Tests import like Node: Vitest's interop would put a Proxy in front of each CommonJS module.
    deps: { interopDefault: false },
    // The default leaves one processor unused, which is half of a machine with two.
    maxWorkers: '100%',
    // Each project has its own transformer; this cache lets all projects share a transformed source.
    fsModuleCache: true,
    // Only a test that hangs reaches these limits, even on a busy machine; the defaults are 5, 10 and 1 s.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
    // Titles show the name of a case in full.
    taskTitleValueFormatTruncate: 0,
    projects: [
      project('architecture', { include: ['test/architecture.test.ts', 'test/prose/*.test.ts'] }),
      project('unit', { isolate: false }),
      project('contract', { isolate: false, ...waiting }),
      project('scenario', { isolate: false }),
      project('integration', {
        exclude: [...isolated, ...manyStarts],
        isolate: false,
        globalSetup: 'test/integration/bundles.ts',
        ...waiting,
      }),
      project('isolated', { include: isolated, ...waiting }),
      project('processes', {
        include: manyStarts,
        isolate: false,
        globalSetup: 'test/integration/bundles.ts',
        ...waiting,
      }),
      project('stand-ins', { isolate: false, ...waiting }),
      project('fleet', { include: ['test/fleet/*.test.ts'], isolate: false }),
      project('sequences', { isolate: false }),
      project('fleet-long', { include: ['test/fleet/long/*.test.ts'], testTimeout: 7_200_000 }),
      project('long', { testTimeout: 1_200_000 }),
      project('security'),
      project('package'),
      // The files run one at a time: on a busy machine a node renews its passwords too late.
      project('lab', { testTimeout: 600_000, hookTimeout: 600_000, fileParallelism: false }),
      // test/boot/boot.ts runs these files, each in separate namespaces.
      project('boot', { testTimeout: 600_000, hookTimeout: 600_000 }),
    ],
  },
});

/** Prints the files that were still running when SIGTERM, which `timeout` sends, ended the run. */
function namesWhatRuns(): Plugin {
  let isListening = false;
  return {
    name: 'names-what-runs',
    configureVitest({ vitest }) {
      // Vitest calls this hook for each project.
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

/** Returns the project of the tests below test/NAME. */
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
