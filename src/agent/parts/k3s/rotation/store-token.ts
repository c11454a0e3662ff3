import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import { Secret, sensitive } from '../../../engine/secret.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { fileText } from '../../../resources/file-text.ts';
import { serverNotReady } from '../membership/supervisor.ts';
import { basicAuth, type Token } from '../membership/token.ts';

/** The old and the new token of a rotation. */
export interface Passwords {
  readonly from: Token;
  readonly to: Token;
}

/**
 * Makes K3s store the new token, as `k3s token rotate` does: K3s writes its password file and its token file, encrypts
 * the bootstrap data in the datastore with the new token, and saves the password file there (PUT /v1-k3s/token,
 * pkg/server/handlers/token.go). Returns the token that the running K3s accepts: it reads its passwords only when it
 * starts. Throws `TokenRotationFailed` if K3s refuses.
 *
 * A request may be repeated. If K3s failed halfway through a request, the same request does not finish its work,
 * because the files of K3s already have the new token. A request for the old token in between makes the files and the
 * datastore agree.
 *
 * Does not run `k3s token rotate`, which takes the new token as an argument that every process can see.
 */
export async function storeToken(
  host: Host,
  node: K3sNode,
  { from, to }: Passwords,
): Promise<keyof Passwords> {
  const first = await requestToken(host, node, from, to);
  const accepted = first === 401 ? 'to' : 'from';
  const as = { from, to }[accepted];
  const status = first === 401 ? await requestToken(host, node, as, to) : first;
  if (status === 200) {
    return accepted;
  }
  const isHalf = status === 500 && (await requestToken(host, node, as, from)) === 200;
  if (isHalf && (await requestToken(host, node, as, to)) === 200) {
    return accepted;
  }
  throw refused(status);
}

/**
 * Makes K3s save its passwords in the datastore, by a request to rotate to the token that it has. Throws
 * `TokenRotationFailed` if K3s refuses.
 */
export async function saveToken(host: Host, node: K3sNode, present: Token): Promise<void> {
  const status = await requestToken(host, node, present, present);
  if (status !== 200) {
    throw refused(status);
  }
}

function refused(status: number): NodeError {
  return rotationFailed(
    `K3s answers ${status} to the request to rotate its join token; journalctl -u k3s has its reason.`,
  );
}

/** Returns the error for a rotation that does not go on without a person. */
export function rotationFailed(why: string): NodeError {
  return new NodeError(
    'TokenRotationFailed',
    `${why} Keep both versions of the secret in the vault. With SQLite or etcd, a copy of the datastore from before the rotation is in ` +
      '/var/lib/slipway/backup.',
    advisory,
  );
}

/** Asks K3s to make `next` the token of the cluster; returns the status. Throws `ServerNotReady` while K3s starts. */
async function requestToken(host: Host, node: K3sNode, as: Token, next: Token): Promise<number> {
  const { config } = node.settings.k3s;
  const server = `https://127.0.0.1:${config['https-listen-port'] ?? 6443}`;
  const newToken = new Secret(next.credential);
  const { status } = await host.send({
    method: 'PUT',
    url: `${server}/v1-k3s/token`,
    headers: { authorization: basicAuth('server', as.credential) },
    body: sensitive((show) => JSON.stringify({ newToken: show(newToken) })),
    timeout: 30_000,
    direct: true,
    trust: { ca: await fileText(host, node.paths.k3s.serverCa) },
  });
  if (status === 503) {
    throw serverNotReady(server).nonBlocking();
  }
  return status;
}
