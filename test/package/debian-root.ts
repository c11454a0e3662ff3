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

/** Why no minimal Debian of that suite can be used here; nothing where it can. */
export function lacksDebianRoot(suite: string): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, for chroot and mount';
  const root = rootOf(suite);
  return existsSync(root) ? undefined : `needs ${root}, which .ci/run makes with mmdebstrap`;
}

function rootOf(suite: string): string {
  return resolve('dist/.cache', `root-${suite}`);
}

/** A minimal Debian that a test may change: it is gone with `remove`. */
export class DebianRoot {
  readonly #folder = mkdtempSync(join(tmpdir(), 'slipway-debian-'));
  readonly #calls = '/calls';

  constructor(suite: string) {
    for (const name of ['upper', 'work', 'root']) mkdirSync(join(this.#folder, name));
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

  /** Without the packages it depends on: a minimal Debian has no systemd. */
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

  /** From now on a systemd seems to run, whose systemctl only notes what it is told. */
  bootsSystemd(): void {
    mkdirSync(this.path('/run/systemd/system'), { recursive: true });
    this.write('/usr/bin/systemctl', `#!/bin/sh\necho "$*" >>${this.#calls}\n`, 0o755);
  }

  /** What systemctl was told since it was last asked, but for the preset that Debian's helper asks for. */
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
  if (ended.exitCode !== 0) throw new Error(ended.stderr);
}
