import { isIP } from 'node:net';
import type { HostReader } from '../core/host.ts';
import type { NodePaths } from '../paths.ts';
import { readableText } from './flags.ts';
import { configFlags } from './given-flags.ts';

/**
 * Returns the address with which this node has joined its cluster, by its configuration, if it is one of `addresses`, those
 * of the machine; `undefined` before it has joined. A guess from routes or interfaces may differ at every boot.
 */
export async function keptAddress(
  host: HostReader,
  { k3s }: NodePaths,
  addresses: readonly string[],
): Promise<string | undefined> {
  const proofs = await Promise.all([k3s.serverToken, k3s.agentServerCa].map((path) => host.stat(path)));
  if (proofs.every((proof) => proof === undefined)) return undefined;
  const flags = configFlags(await readableText(host, k3s.config), k3s.config);
  const [address, ...more] = flags.find(({ name }) => name === 'node-ip')?.values ?? [];
  const isOne = address !== undefined && more.length === 0 && isIP(address) !== 0;
  return isOne && addresses.includes(address) ? address : undefined;
}
