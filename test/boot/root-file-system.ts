/**
 * The root file systems that hosts boot from: Debian as in its cloud images, built by mmdebstrap and cached in
 * dist/.cache until this file changes.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

export const suites = ['bookworm', 'trixie'] as const;
export type Suite = (typeof suites)[number];

const cache = join(import.meta.dirname, '../../dist/.cache');

const packages = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'udev',
    'cloud-init',
    'isc-dhcp-client',
    'netbase',
    'procps',
    'kmod',
  ],
  ...['ca-certificates', 'curl', 'iproute2', 'iptables', 'nftables', 'iputils-ping'],
  // The stand-in for K3s runs them as its embedded etcd.
  ...['etcd-server', 'etcd-client'],
];

const unwanted = ['doc', 'man', 'locale', 'info'];

/**
 * Returns the folder of a suite's root file system, a read-only layer to boot from. If the folder is missing, removes
 * older builds of the suite and builds the folder.
 */
export function rootFileSystem(suite: Suite): string {
  const recipe = createHash('sha256')
    .update(readFileSync(import.meta.filename))
    .digest('hex')
    .slice(0, 12);
  const root = join(cache, `boot-${suite}-${recipe}`);
  if (existsSync(root)) {
    return root;
  }
  mkdirSync(cache, { recursive: true });
  for (const old of readdirSync(dirname(root)).filter((name) => name.startsWith(`boot-${suite}-`))) {
    rmSync(join(cache, old), { recursive: true });
  }
  const part = `${root}.part`;
  execFileSync(
    'mmdebstrap',
    [
      ...['--quiet', '--mode=root', '--variant=minbase', `--include=${packages.join(',')}`],
      '--aptopt=Acquire::Languages "none"',
      ...unwanted.map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
      ...[suite, part],
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  asInAzure(part);
  renameSync(part, root);
  return root;
}

/**
 * Configures the root file system like an Azure image: only the Azure datasource, DHCP, a persistent journal, no
 * periodic jobs, and simulated kernel limits and hardware.
 */
function asInAzure(root: string): void {
  const write = (path: string, content: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  };
  // Cloud-init must not set a locale, since the root file system has no package of locales.
  write('etc/cloud/cloud.cfg.d/90-azure.cfg', 'datasource_list: [Azure]\nlocale: false\n');
  write(
    'etc/systemd/network/80-eth0.network',
    '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n',
  );
  link('multi-user.target.wants/systemd-networkd.service', '/lib/systemd/system/systemd-networkd.service');
  link(
    'network-online.target.wants/systemd-networkd-wait-online.service',
    '/lib/systemd/system/systemd-networkd-wait-online.service',
  );
  for (const unit of notWanted) {
    link(unit, '/dev/null');
  }
  write('etc/systemd/system/pretended-kernel.service', pretendedKernel);
  link('sysinit.target.wants/pretended-kernel.service', '/etc/systemd/system/pretended-kernel.service');
  write('etc/systemd/system/slipway.service.d/pretended-kernel.conf', pretendedInSandbox);
  mkdirSync(join(root, 'var/log/journal'), { recursive: true });
  pretendHardware(root);

  function link(unit: string, target: string): void {
    const path = join(root, 'etc/systemd/system', unit);
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    symlinkSync(target, path);
  }
}

const notWanted = [
  ...[
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'fstrim.timer',
  ],
  ...['etcd.service', 'console-getty.service', 'e2scrub_reap.service', 'systemd-timesyncd.service'],
];

/**
 * A unit that mounts ordinary files over kernel limits, since a host shares its kernel with this machine and must not
 * change the machine's limits.
 */
const pretendedKernel = `[Unit]
DefaultDependencies=no
After=systemd-remount-fs.service
Before=systemd-sysctl.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mkdir -p /run/pretended-kernel
ExecStart=/bin/sh -c 'for limit in max_user_instances max_user_watches; do cat /proc/sys/fs/inotify/$limit >/run/pretended-kernel/$limit; mount --bind /run/pretended-kernel/$limit /proc/sys/fs/inotify/$limit; done'
`;

/**
 * A drop-in that mounts the files of `pretendedKernel` in the unit's sandbox too, because Debian 12's systemd mounts a
 * new /proc there.
 */
const pretendedInSandbox = `[Service]
${['max_user_instances', 'max_user_watches']
  .map((limit) => `BindReadOnlyPaths=-/run/pretended-kernel/${limit}:/proc/sys/fs/inotify/${limit}`)
  .join('\n')}
`;

/** Makes cloud-init detect Azure hardware, since a container has no SMBIOS (chassis asset tag). */
function pretendHardware(root: string): void {
  const path = join(root, 'usr/lib/python3/dist-packages/cloudinit/dmi.py');
  const source = readFileSync(path, 'utf8');
  const changed = source
    .replace(/^DMI_SYS_PATH = .*$/m, 'DMI_SYS_PATH = "/etc/pretended-hardware"')
    .replace('    if is_container():', '    if False:');
  if (changed.match(/pretended-hardware|if False:/g)?.length !== 2) {
    throw new Error(`${path} is not as expected: correct pretendHardware().`);
  }
  writeFileSync(path, changed);
  rmSync(join(dirname(path), '__pycache__'), { recursive: true, force: true });
  mkdirSync(join(root, 'etc/pretended-hardware'));
  writeFileSync(join(root, 'etc/pretended-hardware/chassis_asset_tag'), '7783-7084-3265-9085-8269-3286-77\n');
}
