/**
 * The certificates that K3s writes when it starts, with their real lifetimes (pkg/daemons/control/deps/deps.go,
 * createClientCertKey and genETCDCerts; pkg/server/handlers/handlers.go, signAndSend).
 *
 * A server renews a leaf certificate at its start if at most 120 days are left, or if the file is missing; a file that
 * it cannot parse stays. An agent, and the agent in each server, gets its certificates anew at each start. A leaf is
 * valid from an hour before its issue, for 365 days or CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS days, even beyond the end
 * of its CA (rancher/dynamiclistener, cert.NewSignedCert). Its file also has the chain of its CA.
 */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { type Certificate, issue, issuerOf, type KeyPair, type Validity } from './k3s-certificates.ts';

const hour = 3_600_000;
const day = 24 * hour;

/** The files below the data directory of K3s. */
export interface Files {
  read(path: string): string | undefined;
  write(path: string, text: string): void;
}

/** The CAs of a cluster. Each of these two stands for several CAs of K3s that differ only in their names. */
export interface Authorities {
  readonly server: Certificate;
  readonly client: Certificate;
}

export interface StartOptions {
  readonly authorities: Authorities;
  /** The time of the start, in epoch milliseconds. */
  readonly now: number;
  /** The life of new leaf certificates in days; by default as in the environment of K3s. */
  readonly days?: number;
  /** The leaf files that the start does not renew, as if K3s could not write them. */
  readonly stuck?: readonly string[];
}

type Leaf = readonly [path: string, commonName: string, authority: keyof Authorities];

/** The leaf certificates of a server, besides those of its agent. */
export const serverLeaves: readonly Leaf[] = [
  ['server/tls/client-admin.crt', 'system:admin', 'client'],
  ['server/tls/client-supervisor.crt', 'system:k3s-supervisor', 'client'],
  ['server/tls/client-controller.crt', 'system:kube-controller-manager', 'client'],
  ['server/tls/client-scheduler.crt', 'system:kube-scheduler', 'client'],
  ['server/tls/client-kube-apiserver.crt', 'system:apiserver', 'client'],
  ['server/tls/client-kube-proxy.crt', 'system:kube-proxy', 'client'],
  ['server/tls/client-k3s-controller.crt', 'system:k3s-controller', 'client'],
  ['server/tls/client-k3s-cloud-controller.crt', 'k3s-cloud-controller-manager', 'client'],
  ['server/tls/client-auth-proxy.crt', 'system:auth-proxy', 'client'],
  ['server/tls/serving-kube-apiserver.crt', 'kube-apiserver', 'server'],
  ['server/tls/etcd/client.crt', 'etcd-client', 'server'],
  ['server/tls/etcd/peer-server-client.crt', 'etcd-peer', 'server'],
  ['server/tls/etcd/server-client.crt', 'etcd-server', 'server'],
];

/** The leaf certificates of an agent, and of the agent in each server. */
export const agentLeaves: readonly Leaf[] = [
  ['agent/client-kubelet.crt', 'system:node', 'client'],
  ['agent/serving-kubelet.crt', 'node', 'server'],
  ['agent/client-kube-proxy.crt', 'system:kube-proxy', 'client'],
  ['agent/client-k3s-controller.crt', 'system:k3s-controller', 'client'],
];

/** Writes the certificates of a server, as a start does; those of its agent are written by `startAgentLeaves`. */
export function startServerLeaves(files: Files, options: StartOptions): void {
  const { server, client } = options.authorities;
  const cas = { 'server-ca': server, 'client-ca': client, 'request-header-ca': client };
  for (const [name, { certificate }] of Object.entries(cas)) {
    files.write(`server/tls/${name}.crt`, certificate);
  }
  files.write('server/tls/server-ca.nochain.crt', server.certificate);
  files.write('server/tls/client-ca.nochain.crt', client.certificate);
  files.write('server/tls/etcd/server-ca.crt', server.certificate);
  files.write('server/tls/etcd/peer-ca.crt', server.certificate);
  for (const leaf of serverLeaves) {
    if (isRenewed(files.read(leaf[0]), options.now)) {
      writeLeaf(files, leaf, options);
    }
  }
}

/** Writes the certificates that an agent gets from its server at each start. */
export function startAgentLeaves(files: Files, options: StartOptions): void {
  files.write('agent/server-ca.crt', options.authorities.server.certificate);
  files.write('agent/client-ca.crt', options.authorities.client.certificate);
  for (const leaf of agentLeaves) {
    writeLeaf(files, leaf, options);
  }
}

/** Returns a new certificate for the port of a server, which K3s renews while it runs. */
export function servingLeaf(options: StartOptions): Certificate {
  return newLeaf('port', 'k3s', options.authorities.server, options);
}

/** True if a server renews a certificate file at a start: it is missing, or at most 120 days are left. */
export function isRenewed(pem: string | undefined, now: number): boolean {
  if (pem === undefined) {
    return true;
  }
  try {
    return endOf(pem) - now <= 120 * day;
  } catch {
    return false;
  }
}

/** The ends of the certificates that were parsed, because tests ask about the same ones thousands of times. */
const ends = new Map<string, number>();

function endOf(pem: string): number {
  const end = ends.get(pem) ?? new X509Certificate(pem).validToDate.getTime();
  ends.set(pem, end);
  return end;
}

/**
 * Returns the validity of a new leaf certificate: from an hour before `now`, but not before its CA, for 365 days or
 * CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS.
 */
export function leafValidity(authority: Certificate, now: number, days = daysFromEnvironment()): Validity {
  const from = Math.max(now - hour, issuerOf(authority).validFrom);
  return { from, ends: from + days * day };
}

function daysFromEnvironment(): number {
  return Number(process.env.CATTLE_NEW_SIGNED_CERT_EXPIRATION_DAYS ?? 365);
}

function writeLeaf(files: Files, [path, commonName, name]: Leaf, options: StartOptions): void {
  const authority = options.authorities[name];
  if (!(options.stuck?.includes(path) && files.read(path) !== undefined)) {
    files.write(path, newLeaf(path, commonName, authority, options).certificate + authority.certificate);
  }
}

/** K3s keeps the key of a certificate that it renews; all certificates here have the same one, to save time. */
let pair: KeyPair | undefined;

/** The certificates that this process has issued, by their use, their CA and the time of their issue. */
const issued = new Map<string, Certificate>();

function newLeaf(
  use: string,
  commonName: string,
  authority: Certificate,
  { now, days }: StartOptions,
): Certificate {
  const what = JSON.stringify([use, commonName, authority.certificate, now, days]);
  const known = issued.get(what);
  if (known !== undefined) {
    return known;
  }
  pair ??= generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const leaf = issue(authority, { commonName, validity: leafValidity(authority, now, days) }, pair);
  issued.set(what, leaf);
  return leaf;
}
