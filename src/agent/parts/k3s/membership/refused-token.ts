import type { Cloud } from '../../../clouds/cloud.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import type { Finding } from '../../../engine/resource.ts';
import { reveal, type Secret } from '../../../engine/secret.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { writePinned } from './ca-pin.ts';
import { fetchFormerToken, fetchToken, isRedacted, tokenSecretName } from './fetched-token.ts';
import { parseToken, type Token } from './token.ts';

/** A token that the server has refused. */
export interface Refused {
  readonly token: Token;
  /** Asks the server whether it accepts a token; absent if the server does not have the CA that the token pins. */
  readonly isAccepted?: (host: Host, token: Token) => Promise<boolean>;
  /** The hash of the CA to pin in a fetched token without a pin; `undefined` if that token may stay without one. */
  readonly kept: string | undefined;
}

/**
 * Returns the drift whose remedy fetches the token again, since the cloud may have a newer one, and pins the CA `kept`
 * if the new token has no pin. The remedy throws `error` if the cloud has no other token. It also throws, with advice,
 * if the new token has no pin and `kept` is the pin of a CA that the server does not have.
 */
export function fetchAnother(node: K3sNode, cloud: Cloud, refused: Refused, error: NodeError): Finding {
  const { token, kept } = refused;
  const path = node.paths.slipway.joinToken;
  const remedy = async (host: Host) => {
    const fetched = await otherToken(host, node, cloud, refused, error);
    const fresh = parseToken(reveal(fetched));
    if (!fresh || fresh.caHash !== undefined || kept === undefined || isRedacted(fetched)) {
      return host.writeFile(path, fetched, { mode: 0o600 });
    }
    if (kept === token.caHash && error.reason === 'TokenCaMismatch') {
      throw pinStays(node, error);
    }
    return writePinned(host, node.paths, fresh, kept);
  };
  const changes = [{ field: 'join token', observed: error.reason, desired: 'accepted' }];
  return { state: 'Drifted', drift: { changes, partial: true, remedy } };
}

/**
 * Fetches a token that may be accepted instead of the refused one: the current one of the cloud or, if that is the
 * refused one, the former one if the server accepts it. During a rotation, a server accepts the former one until K3s is
 * restarted. Throws `error` if there is no other token.
 */
async function otherToken(
  host: Host,
  node: K3sNode,
  cloud: Cloud,
  { token, isAccepted }: Refused,
  error: NodeError,
): Promise<Secret> {
  const fetched = await fetchToken(host, cloud, tokenSecretName(node));
  const fresh = parseToken(reveal(fetched));
  if (!fresh || !isSame(fresh, token, error)) {
    return fetched;
  }
  const former = isAccepted && (await fetchFormerToken(host, cloud, tokenSecretName(node)));
  const before = former && parseToken(former.reveal());
  if (!former || !before || before.credential === token.credential || !(await isAccepted(host, before))) {
    throw error;
  }
  return former;
}

function pinStays({ paths }: K3sNode, { reason, message }: NodeError): NodeError {
  return new NodeError(
    reason,
    `${message} The secret pins no CA, and this agent was part of a cluster, so it shows it to no other CA than the one ` +
      `pinned in ${paths.slipway.joinToken}. To join any server that answers, remove that file.`,
    forPerson,
  );
}

/**
 * True if the fetched token is the refused one. A pin that only the refused token has makes no difference, unless the
 * pin itself is the reason for the refusal.
 */
function isSame(fresh: Token, token: Token, { reason }: NodeError): boolean {
  const pins = fresh.caHash ?? (reason === 'TokenCaMismatch' ? undefined : token.caHash);
  return fresh.credential === token.credential && pins === token.caHash;
}

/** Returns the error for a token to which the server answers with this status. */
export function tokenRejected(node: K3sNode, status: number): NodeError {
  return new NodeError(
    'TokenRejected',
    `${node.server} answers ${status} to the join token, and the secret ${tokenSecretName(node)} holds no other. Put the token of that server ` +
      '(/var/lib/rancher/k3s/server/node-token there) or a valid bootstrap token into the secret.',
    forPerson,
  );
}

/** Returns the error for a token that pins the CA `wanted`, on a server with the CA `found`. */
export function caMismatch({ server }: K3sNode, wanted: string, found: string): NodeError {
  return new NodeError(
    'TokenCaMismatch',
    `The join token is for a cluster whose CA has the hash ${wanted.slice(0, 12)}..., and ${server} has ` +
      `${found.slice(0, 12)}...: another cluster, or a server that was rebuilt. Put the token of that server into the secret.`,
    forPerson,
  );
}
