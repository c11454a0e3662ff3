import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { keepingServer } from '../membership/server-change.ts';
import { keepingSettings } from './settings-change.ts';

/**
 * Returns the node with which to start K3s: with the server and the guarded settings that K3s runs with, until their
 * changes are allowed.
 */
export async function keptNode(host: HostReader, node: K3sNode): Promise<K3sNode> {
  return keepingSettings(host, await keepingServer(host, node));
}
