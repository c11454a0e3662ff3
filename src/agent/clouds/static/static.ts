/** @module The static cloud: identity, secrets and registry passwords come from the settings and from files. */
import { sha256 } from '../../engine/digest.ts';
import { NodeError, type NodeErrorOptions } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Reason } from '../../engine/reasons.ts';
import type { Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import type { Cloud, Identity } from '../cloud.ts';
import type { CloudGround } from '../driver.ts';
import { received } from '../jwt.ts';
import { versionIfKnown } from '../secret-version.ts';
import { storedSecret } from '../stored-secret.ts';
import { chosenAddress } from './chosen-address.ts';
import type { StaticSettings } from './settings.ts';

/** Makes the cloud that `static` in the settings describes, for machines outside any cloud, laptops and tests. */
export function staticCloud({ host, settings, machine }: CloudGround<StaticSettings>): Cloud {
  const { secrets, registries, metadata: _, ...identity } = settings;
  return {
    name: 'static',
    identity: () => written(host, identity, machine),
    secret: async (name) => secretIn(host, pathOf(secrets, name), `the secret "${name}"`),
    secretVersion: (name) => versionIfKnown(() => digestOf(host, pathOf(secrets, name))),
    // A dry run requests only the user name, so `registryPassword` alone reports a missing login.
    registryUser: (loginServer) => registries[loginServer]?.username ?? 'unknown',
    async registryPassword(loginServer) {
      const { passwordFile } = loginTo(registries, loginServer);
      return received(await secretIn(host, passwordFile, `the password of ${loginServer}`), host.now());
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
    ...addressOf(address, machine),
    externalAddress:
      externalAddress && chosenAddress(externalAddress, 'static.externalAddress', machine).address,
    tags: Object.fromEntries(Object.entries(tags).map(([name, value]) => [name.toLowerCase(), value])),
  };
}

function addressOf(choice: string | undefined, machine: CloudGround<StaticSettings>['machine']) {
  return choice === undefined
    ? { address: machine.address }
    : chosenAddress(choice, 'static.address', machine);
}

/** Returns the machine id (machine-id(5)); `undefined` if the machine has none. */
async function machineId(host: HostReader): Promise<string | undefined> {
  const found = await host.readFile('/etc/machine-id');
  return found?.content.trim() || undefined;
}

function pathOf(secrets: StaticSettings['secrets'], name: string): string {
  const path = Object.hasOwn(secrets, name) ? secrets[name] : undefined;
  if (path !== undefined) {
    return path;
  }
  throw refusal(
    'SecretNotFound',
    `No file is named for the secret "${name}". Set static.secrets.${name} to the file that holds it.`,
  );
}

async function digestOf(host: HostReader, path: string): Promise<string | undefined> {
  const { content } = (await host.readFile(path)) ?? {};
  return content === undefined ? undefined : sha256(content);
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

/**
 * Returns the secret in a file of one line. Throws `SecretNotFound` without the file, `SecretExposed` if every user may
 * access the file, and `SecretEmpty` for an unusable value.
 */
async function secretIn(host: HostReader, path: string, what: string): Promise<Secret> {
  const found = await host.readFile(path);
  if (!found) {
    throw refusal(
      'SecretNotFound',
      `The file ${path}, which is to hold ${what}, does not exist yet. Create it with mode 0600.`,
      { endedBy: 'time' },
    );
  }
  if ((found.mode & 0o007) !== 0) {
    throw refusal(
      'SecretExposed',
      `The file ${path}, which holds ${what}, is open to every user of this machine (mode ${found.mode.toString(8).padStart(4, '0')}), so it is not used. Run: chmod 600 ${path}`,
    );
  }
  const repair = `Write ${what} into it, on one line, in UTF-8 without a byte order mark.`;
  return storedSecret(found.content, `The file ${path}`, repair);
}

function refusal(reason: Reason, message: string, options: NodeErrorOptions = forPerson) {
  return new NodeError(reason, message, options);
}
