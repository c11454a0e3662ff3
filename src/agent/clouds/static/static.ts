/**
 * @module The static cloud: the identity comes from the settings and the machine, secrets and registry passwords from
 * files or credentials of systemd.
 */
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Cloud, Identity } from '../cloud.ts';
import type { CloudGround, InterfaceAddress } from '../driver.ts';
import { received } from '../jwt.ts';
import { versionIfKnown } from '../secret-version.ts';
import { chosenAddress, usualAddress } from './chosen-address.ts';
import { machineId } from './machine-id.ts';
import { refusal, secretAt, secretDigest } from './secret-place.ts';
import type { StaticSettings } from './settings.ts';

/**
 * Makes the cloud that `static` in the settings describes, for tests and for machines outside any cloud, such as
 * laptops.
 */
export function staticCloud({ host, settings, machine }: CloudGround<StaticSettings>): Cloud {
  const { secrets, registries, metadata: _, ...identity } = settings;
  const { credentials } = machine;
  return {
    name: 'static',
    identity: () => written(host, identity, machine),
    secret: async (name) => secretAt(host, placeOf(secrets, name), credentials, `the secret "${name}"`),
    secretVersion: (name) => versionIfKnown(() => secretDigest(host, placeOf(secrets, name), credentials)),
    // A dry run requests only the user name, so `registryPassword` alone reports a missing login.
    registryUser: (loginServer) => registries[loginServer]?.username ?? 'unknown',
    async registryPassword(loginServer) {
      const { passwordFile } = loginTo(registries, loginServer);
      return received(
        await secretAt(host, passwordFile, credentials, `the password of ${loginServer}`),
        host.now(),
      );
    },
    imageDigest: async () => undefined,
  };
}

type WrittenIdentity = Omit<StaticSettings, 'secrets' | 'registries' | 'metadata'>;

async function written(
  host: HostReader,
  { computerName, vmId, location = 'local', address, externalAddress, tags }: WrittenIdentity,
  machine: CloudGround<StaticSettings>['machine'],
): Promise<Identity> {
  return {
    computerName: computerName ?? machine.hostname,
    vmId: vmId ?? (await machineId(host)) ?? machine.hostname,
    location,
    ...addressOf(address, machine.addresses()),
    ...externalAddressOf(externalAddress, machine.addresses()),
    tags: Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value])),
  };
}

function addressOf(choice: string | undefined, all: readonly InterfaceAddress[]) {
  const chosen =
    choice === undefined ? usualAddress(all, 'static.address') : chosenAddress(choice, 'static.address', all);
  return chosen instanceof NodeError ? { address: undefined, addressFault: chosen } : chosen;
}

function externalAddressOf(choice: string | undefined, all: readonly InterfaceAddress[]) {
  if (choice === undefined) {
    return {};
  }
  const chosen = chosenAddress(choice, 'static.externalAddress', all);
  return chosen instanceof NodeError ? { externalAddressFault: chosen } : { externalAddress: chosen.address };
}

function placeOf(secrets: StaticSettings['secrets'], name: string): string {
  const path = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (path !== undefined) {
    return path;
  }
  throw refusal(
    'SecretNotFound',
    `No file is named for the secret "${name}". Set static.secrets.${name} to the file or the credential that holds it.`,
  );
}

function loginTo(registries: StaticSettings['registries'], loginServer: string) {
  const login = registries[loginServer];
  if (login) {
    return login;
  }
  throw refusal(
    'RegistryUnauthorized',
    `No login is configured for ${loginServer}. Set static.registries."${loginServer}" with username and passwordFile, or take it out of registries.servers.`,
  );
}
