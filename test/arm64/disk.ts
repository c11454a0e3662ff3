/** The disk of the emulated machine: Debian, the executable, its package, and this project with a Node for arm64. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBase } from '../../packaging/node-base.ts';
import { npmFile } from '../../packaging/npm-file.ts';
import type { RootFileSystem } from './root-file-system.ts';

const cache = 'dist/.cache';
const unit = 'slipway-checks.service';

/** The factor by which the time limits of the lab are longer in the emulated machine. */
const slowness = 12;

/** The folder of this project on the disk. */
const project = 'opt/project';

/** Packages with programs that the emulated processor cannot run, or that no check needs. */
const unwanted =
  /^(node-linux-|lightningcss|typescript$|caniuse-lite$|postject$|@(biomejs|rolldown|typescript|babel|stryker|esbuild))/;

/** Writes the image of the disk to `folder`, and returns its path. */
export function diskImage({ root }: RootFileSystem, folder: string): string {
  const tree = join(folder, 'tree');
  execFileSync('cp', ['-a', root, tree]);
  addProject(join(tree, project));
  copyFileSync(nodeBase('arm64', cache, { strip: true }).path, join(tree, 'opt/node'));
  writeFileSync(join(tree, 'opt/expected-settings'), settingsHere());
  addUnit(join(tree, 'etc/systemd/system'));
  const image = join(folder, 'disk.img');
  execFileSync('mke2fs', ['-q', '-t', 'ext4', '-d', tree, image, '3G'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return image;
}

/** Copies the sources, the packages that the lab needs, and the results of packaging; keeps all modification times. */
function addProject(to: string): void {
  for (const name of [
    'src',
    'test',
    'systemd',
    'packaging',
    'package.json',
    'package-lock.json',
    'esbuild.config.mjs',
  ]) {
    cpSync(name, join(to, name), { recursive: true, preserveTimestamps: true });
  }
  cpSync('node_modules', join(to, 'node_modules'), {
    recursive: true,
    filter: (path) => !unwanted.test(path.slice('node_modules/'.length)),
  });
  const bundler = join(to, 'node_modules/esbuild-arm64');
  copyFileSync(npmFile('@esbuild/linux-arm64', 'bin/esbuild', join(cache, 'esbuild-arm64')), bundler);
  mkdirSync(join(to, 'dist'));
  const results = readdirSync('dist').filter((name) => /^slipway-linux-arm64$|_arm64\.deb$/.test(name));
  for (const name of results) {
    cpSync(join('dist', name), join(to, 'dist', name), { preserveTimestamps: true });
  }
}

/**
 * Returns the output of `config` from the executable for this processor; the executable for arm64 must print the same.
 */
function settingsHere(): string {
  const executable = `dist/slipway-linux-${process.arch}`;
  return execFileSync(executable, ['config', '--cloud', 'static', '--role', 'server'], {
    encoding: 'utf8',
    env: {},
  });
}

/** Adds the unit that runs the checks at the console and then powers off. */
function addUnit(units: string): void {
  const script = join('/', project, 'test/arm64/inside/checks.ts');
  writeFileSync(
    join(units, unit),
    `[Unit]
Description=Checks of Slipway
After=basic.target
SuccessAction=poweroff-force
FailureAction=poweroff-force

[Service]
Type=oneshot
Environment=ESBUILD_BINARY_PATH=/${project}/node_modules/esbuild-arm64 SLIPWAY_LAB_SLOWNESS=${slowness}
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin LC_ALL=C.UTF-8
ExecStart=/opt/node --no-warnings ${script}
WorkingDirectory=/${project}
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyAMA0
TimeoutStartSec=infinity
`,
  );
  const wants = join(units, 'multi-user.target.wants');
  mkdirSync(wants, { recursive: true });
  symlinkSync(join('..', unit), join(wants, unit));
}
