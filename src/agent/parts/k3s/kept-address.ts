import { isIP } from 'node:net';
import type { HostReader } from '../../engine/host.ts';
import type { NodePaths } from '../../paths.ts';
import { readableText } from '../../resources/file-text.ts';
import { foreignUnit } from './flags/foreign-unit.ts';
import { configFlags, type GivenFlag, unitFlags } from './flags/given-flags.ts';
import { certificates } from './membership/ca.ts';

/**
 * Returns the address with which this node joined its cluster, so that the node keeps that address: one guessed from
 * routes or interfaces may differ at every boot. `undefined` if the node has not joined, if K3s has several addresses,
 * or if the machine no longer has the address. `addresses` are the machine's current addresses.
 *
 * The address is the node-ip in config.yaml or in another program's unit. Without a node-ip, K3s chose the address, and
 * the certificate of its kubelet contains it (pkg/server/handlers, ServingKubeletCert).
 */
export async function keptAddress(
  host: HostReader,
  paths: NodePaths,
  addresses: readonly string[],
): Promise<string | undefined> {
  if (!(await hasJoined(host, paths))) {
    return undefined;
  }
  const given = await givenAddresses(host, paths, 'node-ip');
  return onlyAddress(
    (given ?? (await certifiedAddresses(host, paths, addresses))).filter((each) => isIP(each) !== 0),
    addresses,
  );
}

/**
 * Returns the external address with which this node joined its cluster; `undefined` if the node has not joined, or does
 * not have exactly one external address.
 */
export async function keptExternalAddress(host: HostReader, paths: NodePaths): Promise<string | undefined> {
  const [address, ...more] = (await givenAddresses(host, paths, 'node-external-ip')) ?? [];
  return more.length === 0 && (await hasJoined(host, paths)) ? address : undefined;
}

async function hasJoined(host: HostReader, { k3s }: NodePaths): Promise<boolean> {
  const proofs = await Promise.all([k3s.serverToken, k3s.agentServerCa].map((path) => host.stat(path)));
  return proofs.some((proof) => proof !== undefined);
}

async function givenAddresses(
  host: HostReader,
  paths: NodePaths,
  flag: 'node-ip' | 'node-external-ip',
): Promise<readonly string[] | undefined> {
  return (await givenFlags(host, paths)).findLast(({ name }) => name === flag)?.values;
}

/**
 * Returns the address in `found` if there is only one and the machine has it; otherwise `undefined`, because a list of
 * several addresses is the operator's choice.
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

/** Returns the `addresses` that kubelet's certificate covers; empty if the certificate is missing or damaged. */
async function certifiedAddresses(
  host: HostReader,
  { k3s }: NodePaths,
  addresses: readonly string[],
): Promise<readonly string[]> {
  const [certificate] = certificates(await readableText(host, k3s.kubeletCertificate));
  return addresses.filter((address) => certificate?.checkIP(address) !== undefined);
}
