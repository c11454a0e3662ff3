import type { Identity } from './clouds/cloud.ts';
import { NodeError } from './engine/errors.ts';
import type { HostReader } from './engine/host.ts';
import type { K3sNode } from './node.ts';
import { keptAddress, keptExternalAddress } from './parts/k3s/index.ts';
import type { NodePaths } from './paths.ts';

/** The machine: its files, and the current addresses of its interfaces. */
export interface AddressedMachine {
  readonly host: HostReader;
  readonly addresses: () => readonly string[];
}

type Addresses = Pick<
  K3sNode,
  'address' | 'guessedAddress' | 'interface' | 'externalAddress' | 'addressFault'
>;

/**
 * Returns the addresses of a node. Its address is the one in the settings, the one with which the node joined its
 * cluster (if the machine still has it), or the one that the cloud reports, in this order. Its external address is the
 * one that the cloud reports; while the cloud reports a fault instead, it is the one with which the node joined.
 *
 * If an address is unknown, throws the cloud's fault or `NodeAddressUnknown`: K3s must not start with a wrong address,
 * because other nodes would connect to it.
 */
export async function addressesOf(
  { host, addresses }: AddressedMachine,
  paths: NodePaths,
  ip: string | undefined,
  vm: Identity,
): Promise<Addresses> {
  const kept = ip ? undefined : await keptAddress(host, paths, addresses());
  const address = ip ?? kept ?? vm.address;
  if (!address) {
    throw vm.addressFault ?? unnamed();
  }
  return {
    address,
    ...(kept !== undefined && kept !== vm.address && { guessedAddress: vm.address }),
    interface: address === vm.address ? vm.interface : undefined,
    ...(kept !== undefined && { addressFault: vm.addressFault?.nonBlocking() }),
    ...(await externalAddressOf(host, paths, vm)),
  };
}

function unnamed(): NodeError {
  return new NodeError(
    'NodeAddressUnknown',
    'The cloud names no primary private address for this VM. Set node.ip.',
  );
}

async function externalAddressOf(
  host: HostReader,
  paths: NodePaths,
  { externalAddress, externalAddressFault: fault }: Identity,
): Promise<Pick<K3sNode, 'externalAddress' | 'addressFault'>> {
  if (fault === undefined) {
    return { externalAddress };
  }
  const kept = await keptExternalAddress(host, paths);
  if (kept === undefined) {
    throw fault;
  }
  return { externalAddress: kept, addressFault: fault.nonBlocking() };
}
