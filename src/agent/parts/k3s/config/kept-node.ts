import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { keepingServer } from '../membership/server-change.ts';
import { keepingSettings } from './settings-change.ts';

/** Returns the node to start K3s with: its server and the settings of its cluster change only with consent. */
export async function keptNode(host: HostReader, node: K3sNode): Promise<K3sNode> {
  return keepingSettings(host, await keepingServer(host, node));
}
