import { createPrivateKey, X509Certificate } from 'node:crypto';
import * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { HostReader, TrustedCa } from '../engine/host.ts';
import { remembering } from '../engine/remembering.ts';
import { Secret } from '../engine/secret.ts';
import { readYaml } from '../settings/yaml.ts';

/** The address of a Kubernetes API, and the certificates for it. */
export interface ApiAccess {
  /** The URL of the API without a trailing slash, such as `https://127.0.0.1:6444`. */
  readonly server: string;
  readonly trust: TrustedCa;
}

/**
 * Reads a kubeconfig of K3s, with embedded certificates or the paths of their files (client-go,
 * tools/clientcmd/api/v1/types.go). K3s writes each kubeconfig with exactly one cluster and user.
 *
 * Throws `ApiUnavailable` if the file is missing, for example before the first start of K3s; if it is damaged; or if
 * its certificate and key do not match, for example while K3s renews them.
 */
export async function readKubeconfig(host: HostReader, path: string): Promise<ApiAccess> {
  const found = await host.readFile(path);
  if (found === undefined) {
    throw unusable(path, 'does not exist yet; K3s writes it when it starts');
  }
  const { cluster, user } = clusterAndUser(found.content, path);
  const [ca, certificate, key] = await Promise.all([
    pemOf(host, cluster['certificate-authority-data'], cluster['certificate-authority']),
    pemOf(host, user['client-certificate-data'], user['client-certificate']),
    pemOf(host, user['client-key-data'], user['client-key']),
  ]);
  if (!belongTogether(`${certificate}\0${key}`, path)) {
    throw unusable(path, 'has no client certificate with its key; a restart of K3s writes both anew');
  }
  const identity = { certificate, key: new Secret(key) };
  return { server: cluster.server.replace(/\/$/, ''), trust: { ca, identity } };
}

const text = z.optional(z.string());

const cluster = z.object({
  server: z.string().check(z.startsWith('https://')),
  'certificate-authority-data': text,
  'certificate-authority': text,
});

const user = z.object({
  'client-certificate-data': text,
  'client-certificate': text,
  'client-key-data': text,
  'client-key': text,
});

const kubeconfig = z.object({
  clusters: z.tuple([z.object({ cluster })]),
  users: z.tuple([z.object({ user })]),
});

/** Parses a kubeconfig only when it has changed, because each pass reads it for each object of the cluster. */
const parsed = remembering((content) => z.safeParse(kubeconfig, readYaml(content).value).data);

function clusterAndUser(content: string, path: string) {
  const data = parsed(content, path);
  if (data === undefined) {
    throw unusable(path, 'has not the form that K3s writes; a restart of K3s writes it anew');
  }
  return { cluster: data.clusters[0].cluster, user: data.users[0].user };
}

async function pemOf(host: HostReader, data: string | undefined, path: string | undefined): Promise<string> {
  if (data !== undefined) {
    return Buffer.from(data, 'base64').toString();
  }
  return path === undefined ? '' : ((await host.readFile(path))?.content ?? '');
}

/** True if a certificate and a key, separated by a NUL, match; false if one of them is invalid. */
const belongTogether = remembering((pair) => {
  const [certificate = '', key = ''] = pair.split('\0');
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
});

function unusable(path: string, why: string): NodeError {
  return new NodeError('ApiUnavailable', `Cannot ask the Kubernetes API: ${path} ${why}.`);
}
