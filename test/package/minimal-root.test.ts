import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { executable, runProgram } from './executable.ts';

/** The tests use Debian 12 and 13, which `.ci/run` builds with mmdebstrap and keeps between runs. */
describe.each(['bookworm', 'trixie'])('in a minimal Debian %s', (suite) => {
  const root = resolve('dist/.cache', `root-${suite}`);

  test.for([
    [['version'], 0, /^slipway /],
    [
      ['plan', '--role', 'observability', '--cloud', 'static', '--server', '127.0.0.1'],
      2,
      /observability=true:NoSchedule/,
    ],
    // /proc and systemctl are missing, as in image builds. slipway cannot enable the unit, and therefore does not write
    // the example settings.
    [['install'], 1, /\/etc\/systemd\/system\/slipway\.service/],
    [['uninstall', '--purge'], 0, /\/etc\/systemd\/system\/slipway\.service/],
  ] as const)(
    'slipway runs with the arguments %j, and exits with %i',
    ([args, exitCode, stdout], { skip }) => {
      skip(process.getuid?.() !== 0, 'needs root, for chroot');
      skip(!existsSync(root), `needs ${root}, which .ci/run makes with mmdebstrap`);
      const inside = join(root, 'usr/local/bin/slipway');
      copyFileSync(executable(), inside);
      try {
        const ended = runProgram('chroot', [root, '/usr/local/bin/slipway', ...args]);
        expect(ended).toMatchObject({ exitCode, stdout: expect.stringMatching(stdout) });
      } finally {
        rmSync(inside, { force: true });
      }
    },
  );
});
