import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { type Ended, runProgram } from './executable.ts';

/** Returns why the minimal Debian of this suite cannot be used here; `undefined` if it can. */
export function lacksDebianRoot(suite: string): string | undefined {
  if (process.getuid?.() !== 0) {
    return 'needs root, for chroot and mount';
  }
  const root = rootOf(suite);
  return existsSync(root) ? undefined : `needs ${root}, which .ci/run makes with mmdebstrap`;
}

function rootOf(suite: string): string {
  return resolve('dist/.cache', `root-${suite}`);
}

/** A copy of a minimal Debian that a test may change; `remove` deletes the copy. */
export class DebianRoot {
  readonly #folder = mkdtempSync(join(tmpdir(), 'slipway-debian-'));
  readonly #calls = '/calls';

  constructor(suite: string) {
    for (const name of ['upper', 'work', 'root']) {
      mkdirSync(join(this.#folder, name));
    }
    const at = (name: string) => join(this.#folder, name);
    const options = `lowerdir=${rootOf(suite)},upperdir=${at('upper')},workdir=${at('work')}`;
    succeed(runProgram('mount', ['-t', 'overlay', 'overlay', '-o', options, at('root')]));
  }

  path(path: string): string {
    return join(this.#folder, 'root', path);
  }

  run(file: string, ...args: readonly string[]): Ended {
    return runProgram('chroot', [this.path('/'), file, ...args], { DEBIAN_FRONTEND: 'noninteractive' });
  }

  /** Runs dpkg without syncing files, and ignores missing dependencies, because a minimal Debian has no systemd. */
  dpkg(...args: readonly string[]): Ended {
    return this.run('dpkg', '--force-depends', '--force-unsafe-io', ...args);
  }

  install(debianPackage: string): Ended {
    copyFileSync(debianPackage, this.path('slipway.deb'));
    return this.dpkg('--install', '/slipway.deb');
  }

  write(path: string, content: string, mode = 0o644): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
    chmodSync(this.path(path), mode);
  }

  /** Makes systemd appear to run, and replaces systemctl with a script that only records its calls. */
  bootsSystemd(): void {
    mkdirSync(this.path('/run/systemd/system'), { recursive: true });
    this.write('/usr/bin/systemctl', `#!/bin/sh\necho "$*" >>${this.#calls}\n`, 0o755);
  }

  /**
   * Returns the arguments of each call of systemctl since this method was last called. Omits `preset`, which Debian's
   * helper calls.
   */
  told(): readonly string[] {
    const calls = this.path(this.#calls);
    const lines = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
    rmSync(calls, { force: true });
    return lines.filter((line) => !line.includes(' preset '));
  }

  remove(): void {
    succeed(runProgram('umount', [join(this.#folder, 'root')]));
    rmSync(this.#folder, { recursive: true });
  }
}

function succeed(ended: Ended): void {
  if (ended.exitCode !== 0) {
    throw new Error(ended.stderr);
  }
}
