import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { Certificate } from './certificate-files.ts';
import { nodeCertificates } from './judgement.ts';
import { renewalTimes } from './renewal-times.ts';

/** A certificate of K3s, for the reports of a pass. Times are in epoch milliseconds. */
export interface CertificateStatus extends Pick<Certificate, 'name' | 'kind' | 'from' | 'ends'> {
  /** When a restart of K3s is due to renew a leaf certificate. */
  readonly due?: number;
}

/** Returns the certificates of K3s on this node; an empty list before its first start. */
export async function certificateStatus(
  host: HostReader,
  node: K3sNode,
): Promise<readonly CertificateStatus[]> {
  const { certificates, window } = await nodeCertificates(host, node);
  return certificates.map((certificate) => {
    const { name, kind, from, ends } = certificate;
    return { name, kind, from, ends, ...(kind === 'leaf' && { due: renewalTimes(certificate, window).due }) };
  });
}
