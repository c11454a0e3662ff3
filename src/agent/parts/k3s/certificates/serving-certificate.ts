import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { isServer, type K3sNode } from '../../../node.ts';
import { parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate-files.ts';

/** The milliseconds after which a certificate is read again: K3s checks every six hours whether to renew it. */
const fresh = 3_600_000;
/**
 * The milliseconds after which a port that did not answer is tried again: each attempt may take its whole time limit.
 */
const retry = 60_000;

interface Shown {
  readonly at: number;
  /** Absent if nothing answered. */
  readonly certificate: Certificate | undefined;
}

/** The certificate that each port showed last, with the time of the read by the monotonic clock. */
const seen = new WeakMap<HostReader, Map<string, Shown>>();

/**
 * Returns the certificate that the K3s server on this machine shows to its clients, read again every hour; `undefined`
 * on an agent, and if nothing answers, which other conditions report.
 */
export async function servingCertificate(host: HostReader, node: K3sNode): Promise<Certificate | undefined> {
  if (!isServer(node)) {
    return undefined;
  }
  const url = servingUrl(node);
  const ports = seen.get(host) ?? new Map<string, Shown>();
  const last = ports.get(url);
  if (last !== undefined && host.monotonic() < last.at + (last.certificate ? fresh : retry)) {
    return last.certificate;
  }
  const certificate = await readServingCertificate(host, node).catch(noAnswer);
  seen.set(host, ports.set(url, { at: host.monotonic(), certificate }));
  return certificate;
}

/**
 * Reads the certificate of the K3s server on this machine now. Throws `UnexpectedAnswer` if the certificate is damaged,
 * and the errors of `peerCertificate`.
 */
export async function readServingCertificate(host: HostReader, node: K3sNode): Promise<Certificate> {
  const url = servingUrl(node);
  const parsed = parseCertificate(await host.peerCertificate(url));
  if (parsed === undefined) {
    throw new NodeError(
      'UnexpectedAnswer',
      `The certificate of ${url} cannot be read. Restart K3s when it suits.`,
    );
  }
  return { ...parsed, name: `port ${new URL(url).port}`, kind: 'serving', issued: parsed.from };
}

/** Returns the URL at which the K3s server on this machine answers. */
export function servingUrl({ settings }: Pick<K3sNode, 'settings'>): string {
  return `https://127.0.0.1:${Number(settings.k3s.config['https-listen-port'] ?? 6443)}`;
}

function noAnswer(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}
