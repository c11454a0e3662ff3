import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { askServers, otherServers } from './founding/peers.ts';
import type { Token } from './token.ts';

/**
 * True if another server lets a server join with this token. K3s reads its token only when it starts, so the datastore
 * belongs to the token by then, and to no former one.
 */
export async function clusterAccepts(host: HostReader, node: K3sNode, token: Token): Promise<boolean> {
  const answers = await askServers(host, node, await otherServers(host, node), token);
  return answers.some(({ says }) => says === 'accepts');
}
