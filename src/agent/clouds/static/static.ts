/**
 * @module The static cloud: the identity comes from the settings and the machine, secrets and registry passwords from
 * files or systemd credentials.
 */
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Cloud, Identity } from '../cloud.ts';
import type { CloudGround, InterfaceAddress } from '../driver.ts';
import { writtenSecrets } from '../written-secrets.ts';
import { chosenAddress, usualAddress } from './chosen-address.ts';
import { machineId } from './machine-id.ts';
import type { StaticSettings } from './settings.ts';

/**
 * Makes the cloud that `static` in the settings describes, for tests and for machines outside any cloud, such as
 * laptops.
 */
export function staticCloud({ host, settings, machine }: CloudGround<StaticSettings>): Cloud {
  const { secrets, registries, metadata: _, ...identity } = settings;
  return {
    name: 'static',
    identity: () => written(host, identity, machine),
    endpoints: async () => [],
    ...writtenSecrets('static', { secrets, registries }, { host, machine }),
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
