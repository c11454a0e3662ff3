import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Host } from '../../../engine/host.ts';
import { Secret, sensitive } from '../../../engine/secret.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { basicAuth, type Token } from './token.ts';

/**
 * Makes `next` the token of the cluster, as `k3s token rotate` does: asks the running server, which encrypts the
 * bootstrap data in its datastore with `next` and writes its own token file (PUT /v1-k3s/token,
 * pkg/server/handlers/token.go). Throws `TokenChanged` if the server refuses.
 *
 * Does not run `k3s token rotate`, which takes the new token as an argument that every process can see. Running nodes
 * continue with their certificates. A crash after the rotation is harmless, since the token file of K3s and the vault
 * then agree.
 */
export async function rotateToken(host: Host, node: K3sNode, installed: Token, next: Token): Promise<void> {
  const { config } = node.settings.k3s;
  const url = `https://127.0.0.1:${config['https-listen-port'] ?? 6443}/v1-k3s/token`;
  const ca = await host.readFile(join(node.paths.k3s.data, 'server/tls/server-ca.crt'));
  const newToken = new Secret(next.credential);
  const { status } = await host.send({
    method: 'PUT',
    url,
    headers: { authorization: basicAuth('server', installed.credential) },
    body: sensitive((show) => JSON.stringify({ newToken: show(newToken) })),
    timeout: 30_000,
    direct: true,
    trust: { ca: ca?.content ?? '' },
  });
  if (status !== 200) {
    throw new NodeError(
      'TokenChanged',
      `The K3s server answered ${status} when asked to rotate its token; see its log: journalctl -u k3s. The old one stays.`,
      advisory,
    );
  }
}
