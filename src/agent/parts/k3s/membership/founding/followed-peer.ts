import type { HostReader } from '../../../../engine/host.ts';
import type { K3sNode } from '../../../../node.ts';
import type { Token } from '../token.ts';
import { askServers, otherServers } from './peers.ts';
import type { FoundingRecord } from './record.ts';

/**
 * Returns the server that config.yaml of a joined server names from now on, if the recorded one is no longer in
 * k3s.peers: the first entry that accepts the token. Returns `undefined` if the recorded server stays: it is an entry,
 * no entry accepts the token now, or there are no peers. K3s asks this server at a start for the keys of the cluster,
 * and a server that was removed from etcd joins again there.
 */
export async function followedPeer(
  host: HostReader,
  node: K3sNode,
  { server }: FoundingRecord,
  token: Token | undefined,
): Promise<string | undefined> {
  if (server === undefined || token === undefined || node.settings.k3s.peers.length === 0) {
    return undefined;
  }
  const { peers } = await otherServers(host, node);
  if (peers.includes(server)) {
    return undefined;
  }
  const answers = await askServers(host, node, { peers, others: [] }, token);
  return answers.find(({ says }) => says === 'accepts')?.address;
}
