import { NodeError } from '../../../engine/errors.ts';
import type { Secret } from '../../../engine/secret.ts';
import { forPerson } from '../../../engine/severity.ts';
import { pinnedCa } from './ca.ts';
import { parseToken, type Token } from './token.ts';

/**
 * Returns the fetched token if it is a password, the only form of token with which a server starts
 * (pkg/cluster/storage.go, normalizeToken). K3s has accepted other forms in a rotation, and then no longer started
 * (k3s-io/k3s#12982). Throws `SecretEmpty` for any other token, and for a token that names another CA than `ca`, the
 * PEM of this cluster's CA if it is known.
 */
export function serverPassword(fetched: Secret, name: string, ca?: string): Token {
  const token = parseToken(fetched.reveal());
  if (token?.kind !== 'password') {
    throw tokenUnusable(name, 'it is a bootstrap token, with which agents can join and no server starts');
  }
  if (ca && token.caHash !== undefined && token.caHash !== pinnedCa(ca).hash) {
    throw tokenUnusable(name, 'it names the CA of another cluster, and this server would not start with it');
  }
  return token;
}

/** Returns the error for a secret that cannot be the join token of this node. */
export function tokenUnusable(name: string, why: string): NodeError {
  return new NodeError(
    'SecretEmpty',
    `The secret ${name} cannot be the join token: ${why}. Store a long random password in it.`,
    forPerson,
  );
}
