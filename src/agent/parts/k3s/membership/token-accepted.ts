import { hintsOf } from '../../../clouds/chosen.ts';
import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError, Recorded } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { isSuccessor, pinnedCa } from './ca.ts';
import { knownCa, pin } from './ca-pin.ts';
import { isRedacted } from './fetched-token.ts';
import { joinedCluster, nonBlockingOnceJoined } from './joined-cluster.ts';
import { caMismatch, fetchAnother, tokenRejected } from './refused-token.ts';
import { keepingServer, serverUnknown } from './server-change.ts';
import { serverCa, serverNotReady, tokenStatus } from './supervisor.ts';
import { parseToken, type Token } from './token.ts';

/**
 * Checks that the server answers and accepts this agent's token. If the server refuses the token, fetches the token
 * from the cloud again, and tries the former one if the current one is refused. If the server has a new CA that the
 * known one certified, moves the pin of an accepted token to the new CA. Without this check, K3s would wait forever for
 * a missing server or with a wrong token.
 *
 * Throws `ServerUnknown`, `ServerUnreachable`, `ServerNotReady`, `UnexpectedAnswer`, and, if the cloud has no other
 * token, `TokenRejected` or `TokenCaMismatch`. No error blocks an agent that has joined before, because K3s uses its
 * certificates and finds its server without Slipway.
 *
 * An agent that has joined shows its token only to a server with the CA it knows, or with a CA that the known one
 * certified. A new agent shows its token to a server with the CA that the token pins, or, if the token has no pin, to
 * any server that answers, as K3s does. As in K3s, the CA of the server matters, not its name.
 */
export function tokenAccepted(node: K3sNode, cloud: Cloud, needs: readonly string[]): Resource {
  return nonBlockingOnceJoined(node, {
    id: 'Server/token',
    summary: 'show the join token to the server',
    condition: 'ServerReachable',
    needs,
    async check(host) {
      try {
        return await checkToken(host, await keepingServer(host, node), cloud);
      } catch (thrown) {
        if (thrown instanceof Recorded && (await joinedCluster(host, node))) {
          return notAsked;
        }
        throw thrown;
      }
    },
  });
}

/**
 * The finding for a joined agent in a dry run, which sends no token. It does not block, since a joined agent does not
 * depend on the answer of the server.
 */
const notAsked = waiting('Recorded', 'The server was not asked whether it accepts the token.', {
  blocks: false,
});

async function checkToken(host: HostReader, node: K3sNode, cloud: Cloud): Promise<Finding> {
  const { server } = node;
  if (server === undefined) {
    throw serverUnknown();
  }
  const text = await fileText(host, node.paths.slipway.joinToken);
  if (isRedacted(text)) {
    throw new Recorded('a dry run has no token to show to the server');
  }
  const token = parseToken(text);
  if (!token) {
    return waiting('SecretEmpty', 'There is no join token yet.');
  }
  const hints = hintsOf(node.settings);
  const known = await knownCa(host, node.paths);
  const shown = await serverCa(host, server, hints);
  const { hash, trusted } = pinnedCa(known === undefined || isSuccessor(shown, known) ? shown : known);
  const knownHash = known === undefined ? hash : pinnedCa(known).hash;
  const kept = known === undefined ? await pinOfOldAgent(host, node, token) : hash;
  if (token.caHash !== undefined && ![hash, knownHash].includes(token.caHash)) {
    return fetchAnother(node, cloud, { token, kept }, caMismatch(node, token.caHash, hash));
  }
  const { status, remark } = await tokenStatus(host, server, trusted, token, hints);
  const isAccepted = async (asking: Host, other: Token) =>
    (await tokenStatus(asking, server, trusted, other, hints)).status === 200;
  switch (status) {
    case 200:
      return pinAccepted(node, token, hash, remark);
    case 401:
    case 403:
      return fetchAnother(node, cloud, { token, kept, isAccepted }, tokenRejected(node, status));
    case 503:
      throw serverNotReady(server);
    default:
      throw new NodeError(
        'UnexpectedAnswer',
        `${server}/v1-k3s/readyz answers ${status}; K3s gives 200, 401, 403 or 503.`,
      );
  }
}

/**
 * Returns the drift that moves the pin to the new CA of the server, or an in-sync finding if the token already pins
 * this CA or has no pin. With the old pin, K3s would refuse the server at its next start.
 */
function pinAccepted(node: K3sNode, token: Token, hash: string, remark: string): Finding {
  if (token.caHash !== undefined && token.caHash !== hash) {
    return pin(node, token, hash);
  }
  const pins = token.caHash === undefined ? ', which pins no CA' : '';
  return inSync({ message: `${node.server} accepts the join token${pins}${remark}` });
}

/**
 * Returns the CA hash to pin in a fetched token without a pin, if this agent was part of a cluster but no longer knows
 * its CA, as after consent to another server: the hash that the current token pins. Without a pin, the agent would join
 * any server that answers. `undefined` on a new agent, or if the current token has no pin.
 */
async function pinOfOldAgent(
  host: HostReader,
  { paths }: K3sNode,
  { caHash }: Token,
): Promise<string | undefined> {
  return (await host.stat(paths.k3s.agent)) === undefined ? undefined : caHash;
}
