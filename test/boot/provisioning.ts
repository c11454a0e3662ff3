/** Installs Slipway on a VM, by cloud-init or in the image. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeDebianPackage } from '../../packaging/deb.ts';
import { currentRelease } from '../../packaging/release.ts';
import { packaged } from '../lab/executable.ts';
import type { Mirror } from '../lab/mirror.ts';
import type { BootedHost } from './booted-host.ts';

const repository = join(import.meta.dirname, '../..');
export const template = join(repository, 'packaging/cloud-init/user-data.yaml');
const release = 'slipway/slipway/v0.1.0';

/**
 * Publishes the executable on the mirror, and gives a VM Slipway's user data, from which cloud-init installs Slipway.
 */
export async function provisionByCloudInit(
  host: BootedHost,
  settings: object,
  mirror: Mirror,
): Promise<void> {
  const executable = readFileSync(packaged);
  mirror.publish(release, { 'slipway-linux-x64': executable });
  const userData = fillIn(readFileSync(template, 'utf8'), {
    slipway_url: `https://github.com/slipway/slipway/releases/download/v0.1.0/slipway-linux-x64`,
    slipway_sha256: createHash('sha256').update(executable).digest('hex'),
    config: JSON.stringify(settings),
  });
  giveUserData(host, userData);
}

/** Fills in the variables of a template as Terraform's templatefile does, but keeps variables that have no value. */
export function fillIn(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}

/**
 * Writes the provisioning data that Azure gives a VM ([MS-OVFENV]): the VM's name, its first user and the user data.
 */
export function giveUserData(host: BootedHost, userData: string): void {
  const customData = Buffer.from(userData).toString('base64');
  host.write(
    '/var/lib/cloud/seed/azure/ovf-env.xml',
    `<?xml version="1.0" encoding="utf-8"?>
<ns0:Environment xmlns="http://schemas.dmtf.org/ovf/environment/1"
  xmlns:ns0="http://schemas.dmtf.org/ovf/environment/1" xmlns:ns1="http://schemas.microsoft.com/windowsazure">
  <ns1:ProvisioningSection>
    <ns1:Version>1.0</ns1:Version>
    <ns1:LinuxProvisioningConfigurationSet>
      <ns1:ConfigurationSetType>LinuxProvisioningConfiguration</ns1:ConfigurationSetType>
      <ns1:HostName>vm-${host.name}</ns1:HostName>
      <ns1:UserName>azureuser</ns1:UserName>
      <ns1:DisableSshPasswordAuthentication>true</ns1:DisableSshPasswordAuthentication>
      <ns1:CustomData>${customData}</ns1:CustomData>
    </ns1:LinuxProvisioningConfigurationSet>
  </ns1:ProvisioningSection>
  <ns1:PlatformSettingsSection>
    <ns1:Version>1.0</ns1:Version>
    <ns1:PlatformSettings>
      <ns1:KmsServerHostname>kms.core.windows.net</ns1:KmsServerHostname>
      <ns1:ProvisionGuestAgent>false</ns1:ProvisionGuestAgent>
    </ns1:PlatformSettings>
  </ns1:PlatformSettingsSection>
</ns0:Environment>
`,
  );
}

/**
 * Installs Slipway as in an image, with cloud-init disabled: copies the executable, runs `slipway install`, and writes
 * the settings, if any.
 */
export async function provisionByImage(host: BootedHost, settings: object | undefined): Promise<void> {
  host.write('/etc/cloud/cloud-init.disabled', '');
  host.write('/etc/hostname', `vm-${host.name}\n`);
  copyExecutable(host, packaged);
  execFileSync('chroot', [host.root, '/usr/local/bin/slipway', 'install'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  if (settings !== undefined) {
    host.write('/etc/slipway/config.yaml', JSON.stringify(settings));
  }
}

/** Copies an executable to the host and renames it over Slipway's executable, as an upgrade does. */
export function copyExecutable(host: BootedHost, executable: string): void {
  const path = host.path('/usr/local/bin/slipway');
  mkdirSync(dirname(path), { recursive: true });
  cpSync(executable, `${path}.new`);
  chmodSync(`${path}.new`, 0o755);
  execFileSync('mv', ['-f', `${path}.new`, path]);
}

/** Builds the Debian package of the executable under test, and writes it to /root/slipway.deb on a host. */
export function copyDebianPackage(host: BootedHost): void {
  const work = mkdtempSync(join(tmpdir(), 'slipway-deb-'));
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  try {
    const parts = { executable: packaged, architecture, release: currentRelease() } as const;
    writeDebianPackage(parts, host.path('/root/slipway.deb'), work);
  } finally {
    rmSync(work, { recursive: true });
  }
}
