/**
 * The root file system of the emulated machine: Debian for arm64, whose packages are unpacked but not configured,
 * because their scripts would run in an emulator for twenty minutes. Cached in dist/.cache until this file changes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

export const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

export interface RootFileSystem {
  /** The folder of the root file system. */
  readonly root: string;
  /** The path of its kernel, which has the drivers for NVMe and ext4 built in. */
  readonly kernel: string;
}

const cache = 'dist/.cache';

const packages = [
  ...[
    'base-files',
    'base-passwd',
    'bash',
    'coreutils',
    'dash',
    'debianutils',
    'diffutils',
    'dpkg',
    'findutils',
  ],
  ...[
    'grep',
    'gzip',
    'hostname',
    'init-system-helpers',
    'libc-bin',
    'mount',
    'ncurses-bin',
    'perl-base',
    'sed',
  ],
  ...['tar', 'util-linux', 'libstdc++6', 'kmod', 'procps', 'iproute2', 'nftables'],
  ...['linux-image-cloud-arm64', 'systemd', 'systemd-sysv', 'dbus', 'udev'],
];

/** Units that would slow the boot down, ask at the console, or wait for a network. */
const unwanted = [
  ...[
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'fstrim.timer',
  ],
  ...[
    'getty.target',
    'serial-getty@ttyAMA0.service',
    'systemd-firstboot.service',
    'systemd-timesyncd.service',
  ],
  ...['ldconfig.service', 'systemd-hwdb-update.service', 'systemd-journal-catalog-update.service'],
  ...['systemd-networkd.service', 'systemd-networkd-wait-online.service', 'systemd-udev-trigger.service'],
];

/** Returns the root file system of a suite; builds it if it is missing, and removes older builds. */
export function rootFileSystem(suite: Suite): RootFileSystem {
  const recipe = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 12);
  const root = join(cache, `arm64-${suite}-${recipe}`);
  if (!existsSync(root)) {
    for (const old of readdirSync(cache).filter((name) => name.startsWith(`arm64-${suite}-`))) {
      rmSync(join(cache, old), { recursive: true });
    }
    build(suite, `${root}.part`);
    renameSync(`${root}.part`, root);
  }
  const boot = join(root, 'boot');
  const [kernel] = readdirSync(boot).filter((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) {
    throw new Error(`${boot} has no kernel; remove ${root} and try again.`);
  }
  return { root, kernel: join(boot, kernel) };
}

function build(suite: Suite, root: string): void {
  // Debian 12 expects that its merged /usr exists before the first package.
  const merged = suite === 'bookworm' ? ['--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr'] : [];
  execFileSync(
    'mmdebstrap',
    [
      ...['--quiet', '--mode=root', '--arch=arm64', '--variant=extract', ...merged],
      ...['--aptopt=Acquire::Languages "none"', `--include=${packages.join(',')}`],
      ...[suite, root],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  configure(root);
}

/** Does what the scripts of the packages would do, as far as the checks need it. */
function configure(root: string): void {
  const etc = join(root, 'etc');
  for (const name of ['passwd', 'group']) {
    copyFileSync(join(root, `usr/share/base-passwd/${name}.master`), join(etc, name));
  }
  writeFileSync(join(etc, 'nsswitch.conf'), 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n');
  writeFileSync(join(etc, 'hosts'), '127.0.0.1 localhost\n127.0.1.1 vm-arm64\n');
  writeFileSync(join(etc, 'hostname'), 'vm-arm64\n');
  writeFileSync(join(etc, 'machine-id'), '0123456789abcdef0123456789abcdef\n');
  mkdirSync(join(root, 'var/log/journal'), { recursive: true });
  for (const unit of unwanted) {
    const path = join(etc, 'systemd/system', unit);
    rmSync(path, { force: true });
    symlinkSync('/dev/null', path);
  }
  const [release = ''] = readdirSync(join(root, 'usr/lib/modules'));
  execFileSync('depmod', ['-b', root, release]);
}
