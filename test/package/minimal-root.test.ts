import { copyFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { DebianRoot, lacksDebianRoot } from './debian-root.ts';
import { type Ended, executable, ignored, runProgram } from './executable.ts';

/** The tests use Debian 12 and 13, which `.ci/run` builds with mmdebstrap and keeps between runs. */
describe.each(['bookworm', 'trixie'])('in a minimal Debian %s', (suite) => {
  const lacks = lacksDebianRoot(suite);
  let root: DebianRoot;

  beforeAll(() => {
    if (lacks === undefined) {
      root = new DebianRoot(suite);
    }
  });

  afterAll(() => root?.remove());

  /** Runs slipway in a copy of the minimal Debian, without /proc; skips the test if this is not possible here. */
  function runInside(
    skip: TestContext['skip'],
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
  ): Ended {
    skip(lacks !== undefined, lacks);
    copyFileSync(executable(), root.path('/usr/local/bin/slipway'));
    return runProgram('chroot', [root.path('/'), '/usr/local/bin/slipway', ...args], environment);
  }

  test.for([
    [['version'], 0, /^slipway /],
    [
      ['plan', '--role', 'observability', '--cloud', 'static', '--server', '127.0.0.1'],
      2,
      /observability=true:NoSchedule/,
    ],
    // As in an image build, /proc and systemctl are missing. slipway cannot enable the unit, and therefore does not
    // write the example settings.
    [['install'], 1, /\/etc\/systemd\/system\/slipway\.service/],
    [['uninstall', '--purge'], 0, /\/etc\/systemd\/system\/slipway\.service/],
  ] as const)(
    'slipway runs with the arguments %j, and exits with %i',
    ([args, exitCode, stdout], { skip }) => {
      const ended = runInside(skip, args);
      expect(ended).toMatchObject({ exitCode, stdout: expect.stringMatching(stdout) });
    },
  );

  test('slipway works although it cannot restart itself to drop a hostile variable, and warns of both', ({
    skip,
  }) => {
    const ended = runInside(skip, ['version'], { NODE_EXTRA_CA_CERTS: '/evil.pem' });
    expect(ended).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^slipway /) });
    expect(ended.stderr.split('\n')).toEqual([
      ignored('NODE_EXTRA_CA_CERTS'),
      expect.stringMatching(/^slipway: .* cannot be run again without them here/),
      '',
    ]);
  });
});
