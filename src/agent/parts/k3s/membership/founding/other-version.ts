import type { Cloud } from '../../../../clouds/cloud.ts';
import type { NodeError } from '../../../../engine/errors.ts';
import type { Host } from '../../../../engine/host.ts';
import type { Finding } from '../../../../engine/resource.ts';
import type { Secret } from '../../../../engine/secret.ts';
import type { K3sNode } from '../../../../node.ts';
import { fetchFormerToken, fetchToken, isRedacted, tokenSecretName } from '../fetched-token.ts';
import { publishedBy } from '../published.ts';
import { serverPassword } from '../server-password.ts';
import { parseToken, type Token } from '../token.ts';
import { askServers, otherServers } from './peers.ts';

/**
 * Returns the drift whose remedy fetches the token of a new server again, because another server refuses the present
 * one: the current version of the secret or, if that is the refused one, the former version if the server may join with
 * it. The remedy throws `error` if the cloud has no such token. Throws any error but `TokenRejected` at once.
 */
export function fetchOtherVersion(node: K3sNode, cloud: Cloud, refused: Token, error: NodeError): Finding {
  if (error.reason !== 'TokenRejected') {
    throw error;
  }
  const remedy = async (host: Host) => {
    const fetched = await otherVersion(host, node, cloud, refused);
    if (fetched === undefined) {
      throw error;
    }
    await host.writeFile(node.paths.slipway.joinToken, fetched, { mode: 0o600 });
  };
  const changes = [{ field: 'join token', observed: error.reason, desired: 'accepted' }];
  return { state: 'Drifted', drift: { changes, partial: true, remedy } };
}

async function otherVersion(
  host: Host,
  node: K3sNode,
  cloud: Cloud,
  refused: Token,
): Promise<Secret | undefined> {
  const name = tokenSecretName(node);
  const fetched = await fetchToken(host, cloud, name);
  if (isRedacted(fetched) || serverPassword(fetched, name).credential !== refused.credential) {
    return fetched;
  }
  const former = await fetchFormerToken(host, cloud, name);
  const token = former && parseToken(former.reveal());
  return token?.kind === 'password' && (await mayJoin(host, node, token)) ? former : undefined;
}

/**
 * True if another server accepts the token, and none of those that accept it publishes that it rotates the token: the
 * datastore may then belong to the new one, with which no server lets this one join yet, and K3s would end as a new
 * member of etcd.
 */
async function mayJoin(host: Host, node: K3sNode, token: Token): Promise<boolean> {
  const answers = await askServers(host, node, await otherServers(host, node), token);
  const accepting = answers.filter(({ says }) => says === 'accepts');
  const shown = await Promise.all(accepting.map(({ address }) => publishedBy(host, node, address, token)));
  return accepting.some(({ isPeer }) => isPeer) && shown.every((each) => each?.rotates !== true);
}
