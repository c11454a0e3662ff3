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
  const kubeconfig = parsed(found.content, path);
  if (kubeconfig === undefined) {
    throw unusable(path, 'has not the form that K3s writes; a restart of K3s writes it anew');
  }
  const { server, ca, certificate, key } = kubeconfig;
  const pems = await Promise.all([ca, certificate, key].map((each) => pemOf(host, each)));
  const access = accessWith([server, ...pems].join('\0'), path);
  if (access === undefined) {
    throw unusable(path, 'has no client certificate with its key; a restart of K3s writes both anew');
  }
  return access;
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

/** A PEM in a kubeconfig, or the path of the file that contains it. */
type Pem = { readonly content: string } | { readonly path: string };

/** Parses a kubeconfig only when it has changed, because each pass reads it for each object of the cluster. */
const parsed = remembering((content) => {
  const data = z.safeParse(kubeconfig, readYaml(content).value).data;
  if (data === undefined) {
    return undefined;
  }
  const [{ cluster }, { user }] = [data.clusters[0], data.users[0]];
  return {
    server: cluster.server.replace(/\/$/, ''),
    ca: pemIn(cluster['certificate-authority-data'], cluster['certificate-authority']),
    certificate: pemIn(user['client-certificate-data'], user['client-certificate']),
    key: pemIn(user['client-key-data'], user['client-key']),
  };
});

function pemIn(data: string | undefined, path: string | undefined): Pem {
  if (data !== undefined) {
    return { content: Buffer.from(data, 'base64').toString() };
  }
  return path === undefined ? { content: '' } : { path };
}

async function pemOf(host: HostReader, pem: Pem): Promise<string> {
  return 'content' in pem ? pem.content : ((await host.readFile(pem.path))?.content ?? '');
}

/**
 * Returns the access with a server, CA, certificate and key, which are separated by NULs; `undefined` if the
 * certificate and the key do not match or are invalid. While the text is the same, returns the same object, so that a
 * request with it is recognised quickly (engine/asking-once.ts).
 */
const accessWith = remembering((text): ApiAccess | undefined => {
  const [server = '', ca = '', certificate = '', key = ''] = text.split('\0');
  return belongTogether(certificate, key)
    ? { server, trust: { ca, identity: { certificate, key: new Secret(key) } } }
    : undefined;
});

function belongTogether(certificate: string, key: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function unusable(path: string, why: string): NodeError {
  return new NodeError('ApiUnavailable', `Cannot ask the Kubernetes API: ${path} ${why}.`);
}
