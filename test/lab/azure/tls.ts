/** The certificate authority of a lab, with a new key for each lab, and its server certificates. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { type Certificate, issue, type KeyPair, makeAuthority } from '../standins/k3s-certificates.ts';

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateAuthority {
  /** The authority's own certificate as PEM, which clients must trust. */
  readonly certificate: string;
  /** Issues a server certificate for these DNS names (wildcards allowed) and IPv4 addresses. */
  issue(names: readonly string[]): ServerCertificate;
  /**
   * Issues a certificate with an RSA key, for RS256 signatures. An RSA key takes a hundred times as long to generate as
   * an EC key.
   */
  issueRsa(names: readonly string[]): ServerCertificate;
}

export function createAuthority(): CertificateAuthority {
  const authority = makeAuthority(`Slipway Lab CA ${randomBytes(4).toString('hex')}`);
  return {
    certificate: authority.certificate,
    issue: (names) => issued(authority, names),
    issueRsa: (names) => issued(authority, names, generateKeyPairSync('rsa', { modulusLength: 2048 })),
  };
}

function issued(authority: Certificate, names: readonly string[], keys?: KeyPair): ServerCertificate {
  const [commonName = 'localhost'] = names;
  const { key, certificate } = issue(authority, { commonName, hosts: names }, keys);
  return { key, cert: certificate };
}
