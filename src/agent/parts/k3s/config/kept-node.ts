import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { keepingMembership } from '../membership/founding/kept-membership.ts';
import { keepingServer } from '../membership/server-change.ts';
import { keepingSettings } from './settings-change.ts';

/**
 * Returns the node for the next start of K3s. Until a change of the server, the datastore or a guarded setting is
 * allowed, the node keeps the one that K3s runs with.
 */
export async function keptNode(host: HostReader, node: K3sNode): Promise<K3sNode> {
  const kept = await keepingMembership(host, await keepingServer(host, node));
  return keepingSettings(host, kept);
}
