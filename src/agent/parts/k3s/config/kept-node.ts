import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { keepingServer } from '../membership/server-change.ts';
import { keepingSettings } from './settings-change.ts';

/**
 * Returns the node for the next start of K3s. Until a change of the server or of a guarded setting is allowed, the node
 * keeps the server and the value that K3s runs with.
 */
export async function keptNode(host: HostReader, node: K3sNode): Promise<K3sNode> {
  return keepingSettings(host, await keepingServer(host, node));
}
