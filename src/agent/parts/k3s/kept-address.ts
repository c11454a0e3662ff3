import { isIP } from 'node:net';
import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { readableText } from '../../resources/file-text.ts';
import { foreignUnit } from './flags/foreign-unit.ts';
import { configFlags, type GivenFlag, unitFlags } from './flags/given-flags.ts';
import { certificates } from './membership/ca.ts';

/**
 * Returns the address with which this node joined its cluster, if it is one of `addresses`, the current ones of the
 * machine; `undefined` before the node has joined. An address guessed from routes or interfaces may differ at every
 * boot.
 *
 * The address is the node-ip of K3s. A K3s without a node-ip, such as one that scripts installed, chose the address
 * itself, and the certificate of its kubelet contains it (pkg/server/handlers, ServingKubeletCert).
 */
export async function keptAddress(
  host: HostReader,
  paths: NodePaths,
  addresses: readonly string[],
): Promise<string | undefined> {
  const { serverToken, agentServerCa } = paths.k3s;
  const proofs = await Promise.all([serverToken, agentServerCa].map((path) => host.stat(path)));
  if (proofs.every((proof) => proof === undefined)) {
    return undefined;
  }
  const given = (await givenFlags(host, paths)).findLast(({ name }) => name === 'node-ip')?.values;
  return onlyAddress(
    (given ?? (await certifiedAddresses(host, paths, addresses))).filter((each) => isIP(each) !== 0),
    addresses,
  );
}

/**
 * Returns the address if it is the only one and the machine has it. A list of several addresses is the choice of an
 * operator.
 */
function onlyAddress(found: readonly string[], addresses: readonly string[]): string | undefined {
  const [address, ...more] = found;
  return address !== undefined && more.length === 0 && addresses.includes(address) ? address : undefined;
}

async function givenFlags(host: HostReader, paths: NodePaths): Promise<readonly GivenFlag[]> {
  const { config } = paths.k3s;
  const units = await Promise.all(
    (['server', 'agent'] as const).map((kind) => foreignUnit(host, { kind, paths })),
  );
  return [
    ...configFlags(await readableText(host, config), config),
    ...units.flatMap((unit) => (unit ? unitFlags(unit.text, unit.path) : [])),
  ];
}

/** Returns those of the addresses for which kubelet's certificate is valid. */
async function certifiedAddresses(
  host: HostReader,
  { k3s }: NodePaths,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const [certificate] = certificates(await readableText(host, k3s.kubeletCertificate));
  return addresses.filter((address) => certificate?.checkIP(address) !== undefined);
}
