import { X509Certificate } from 'node:crypto';
import { stringify } from 'yaml';
import type { HostReader } from '../../engine/host.ts';
import { type Secret, sensitive } from '../../engine/secret.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { NodePaths } from '../../paths.ts';

/** The admin's kubeconfig for another machine. */
interface RemoteKubeconfig {
  readonly content: Secret;
  /** The end of the admin's certificate, in epoch milliseconds. */
  readonly until: number;
}

/**
 * Returns the admin's kubeconfig of this server with the address `server`, an https URL. Its names are those of K3s,
 * `default`. Throws `ApiUnavailable` before the first start of K3s.
 */
export async function remoteKubeconfig(
  host: HostReader,
  { k3s }: NodePaths,
  server: string,
): Promise<RemoteKubeconfig> {
  const { trust } = await readKubeconfig(host, k3s.kubeconfig);
  const { certificate = '' } = trust.identity ?? {};
  const until = new X509Certificate(certificate).validToDate.getTime();
  return { content: rendered(trust, server), until };
}

function rendered({ ca, identity }: ApiAccess['trust'], server: string): Secret {
  const name = 'default';
  return sensitive((show) =>
    stringify(
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(ca) } }],
        users: [
          {
            name,
            user: identity && {
              'client-certificate-data': base64(identity.certificate),
              'client-key-data': base64(show(identity.key)),
            },
          },
        ],
        contexts: [{ name, context: { cluster: name, user: name } }],
        'current-context': name,
      },
      { lineWidth: 0 },
    ),
  );
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
