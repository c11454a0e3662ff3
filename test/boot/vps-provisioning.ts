/**
 * Turns the hosts' root file system, which resembles an Azure image, into the image of a provider without a cloud API.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packaged } from '../lab/executable.ts';
import type { Mirror } from '../lab/mirror.ts';
import type { BootedHost } from './booted-host.ts';
import { fillIn } from './provisioning.ts';
import { networkConfig, type VpsAddresses } from './vps-network.ts';

const examples = join(import.meta.dirname, '../../packaging/cloud-init');
const release = 'slipway/slipway/v0.1.0';

/** Publishes the executable on the mirror; returns the template variables for its URL and its digest. */
export function publishExecutable(mirror: Mirror): Readonly<Record<string, string>> {
  const executable = readFileSync(packaged);
  mirror.publish(release, { 'slipway-linux-x64': executable });
  return {
    slipway_url: 'https://github.com/slipway/slipway/releases/download/v0.1.0/slipway-linux-x64',
    slipway_sha256: createHash('sha256').update(executable).digest('hex'),
  };
}

/** Returns the user data of an example, with its variables filled in. */
export function exampleUserData(example: string, values: Readonly<Record<string, string>>): string {
  return fillIn(readFileSync(join(examples, `${example}.yaml`), 'utf8'), values);
}

/**
 * Gives a host the files of a VPS: a cloud-init seed that needs no cloud, names in place of DNS, a CA, and the kernel
 * settings of Debian.
 */
export function provisionVps(
  host: BootedHost,
  vps: VpsAddresses,
  { userData, names, ca }: { readonly userData: string; readonly names: string; readonly ca: string },
): void {
  seedCloudInit(host, { hostname: host.name, network: networkConfig(vps), userData });
  host.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${host.name}\n${names}`);
  host.append('/etc/ssl/certs/ca-certificates.crt', ca);
  host.write('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
  pretendKernel(host);
}

/** Gives a host a cloud-init seed that needs no cloud: the host's name, its network and its user data. */
export function seedCloudInit(
  host: BootedHost,
  {
    hostname,
    network,
    userData,
  }: { readonly hostname: string; readonly network: object; readonly userData: string },
): void {
  const seed = '/var/lib/cloud/seed/nocloud';
  host.write('/etc/cloud/cloud.cfg.d/90-azure.cfg', 'datasource_list: [NoCloud, None]\nlocale: false\n');
  host.write(`${seed}/meta-data`, `instance-id: ${host.name}\nlocal-hostname: ${hostname}\n`);
  host.write(`${seed}/network-config`, JSON.stringify(network));
  host.write(`${seed}/user-data`, userData);
}

/** The kernel settings that matter to kubelet, with their values on Debian after each boot. */
const kernel: Readonly<Record<string, number>> = {
  'vm/overcommit_memory': 0,
  'vm/panic_on_oom': 0,
  'kernel/panic': 0,
  'kernel/panic_on_oops': 0,
  'kernel/keys/root_maxkeys': 1_000_000,
  'kernel/keys/root_maxbytes': 25_000_000,
};

/**
 * Mounts ordinary files over kernel settings at each boot, since a host must not change the kernel settings of this
 * machine.
 */
function pretendKernel(host: BootedHost): void {
  const [unit, folder] = ['pretended-kernel-settings.service', '/run/pretended-settings'];
  const settings = Object.entries(kernel).map(([setting, value]) => {
    const file = `${folder}/${setting.replaceAll('/', '.')}`;
    return { place: `/proc/sys/${setting}`, file, value };
  });
  const commands = settings.map(
    ({ place, file, value }) =>
      `ExecStart=/bin/sh -c 'echo ${value} >${file}; mount --bind ${file} ${place}'\n`,
  );
  host.write(
    `/etc/systemd/system/${unit}`,
    `[Unit]
DefaultDependencies=no
After=systemd-remount-fs.service
Before=systemd-sysctl.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/mkdir -p ${folder}
${commands.join('')}`,
  );
  const wanted = host.path(`/etc/systemd/system/sysinit.target.wants/${unit}`);
  mkdirSync(dirname(wanted), { recursive: true });
  symlinkSync(`/etc/systemd/system/${unit}`, wanted);
  // Debian 12's systemd mounts a new /proc in each sandbox, so the sandbox needs the bind mounts too.
  const binds = settings.map(({ place, file }) => `BindReadOnlyPaths=-${file}:${place}\n`).join('');
  host.write('/etc/systemd/system/slipway.service.d/pretended-settings.conf', `[Service]\n${binds}`);
}
