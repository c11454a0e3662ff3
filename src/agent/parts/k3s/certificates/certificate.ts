import { X509Certificate } from 'node:crypto';
import { pemCertificates } from '../../../engine/pem.ts';

/** What a certificate says about itself. Times are in epoch milliseconds. */
export interface ParsedCertificate {
  /** The start and the end of its validity. */
  readonly from: number;
  readonly ends: number;
  readonly isCa: boolean;
  /** The SHA-256 of the certificate, by which copies of it are recognised. */
  readonly fingerprint: string;
}

/** The largest file in bytes that counts as a certificate file. Those of K3s have about two kilobytes. */
const largest = 64 * 1024;

/** The largest number of certificates in one file. K3s writes a leaf and the chain of its CA. */
const most = 16;

/**
 * Returns the certificates in the text of a file, the leaf first and its chain after it; or why the text is not a
 * certificate file, as a clause. Reads only blocks with the label CERTIFICATE, so never a key.
 */
export function parseCertificates(text: string): readonly ParsedCertificate[] | string {
  if (Buffer.byteLength(text) > largest) {
    return `is larger than ${largest / 1024} KiB`;
  }
  const blocks = pemCertificates(text);
  if (blocks.length === 0) {
    return 'contains no certificate';
  }
  if (blocks.length > most) {
    return `contains more than ${most} certificates`;
  }
  const parsed = blocks.flatMap((block) => parseCertificate(block) ?? []);
  const begun = text.split('-----BEGIN CERTIFICATE-----').length - 1;
  return parsed.length < begun ? 'contains a damaged certificate' : parsed;
}

/** Returns what a certificate in PEM says about itself; `undefined` if it is damaged. */
export function parseCertificate(pem: string): ParsedCertificate | undefined {
  try {
    const { validFromDate, validToDate, ca, fingerprint256 } = new X509Certificate(pem);
    const [from, ends] = [validFromDate.getTime(), validToDate.getTime()];
    const isDated = Number.isFinite(from) && Number.isFinite(ends);
    return isDated ? { from, ends, isCa: ca, fingerprint: fingerprint256 } : undefined;
  } catch {
    return undefined;
  }
}
