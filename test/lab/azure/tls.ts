/** A certificate authority of the lab's own, made anew for every lab, and server certificates from it. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import forge from 'node-forge';

export interface ServerCertificate {
  readonly key: string;
  readonly cert: string;
}

export interface CertificateAuthority {
  /** The CA's own certificate, PEM: what a client must trust. */
  readonly certificate: string;
  /** A server certificate for these DNS names (wildcards allowed) and IPv4 addresses. */
  issue(names: readonly string[]): ServerCertificate;
}

export function createAuthority(): CertificateAuthority {
  const pair = keyPair();
  const subject = [{ name: 'commonName', value: `Slipway Lab CA ${randomBytes(4).toString('hex')}` }];
  const ca = certificate({ publicKey: pair.publicKey, subject, issuer: subject, signer: pair.privateKey }, [
    { name: 'basicConstraints', cA: true, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ]);
  return {
    certificate: ca,
    issue: (names) => {
      const leaf = keyPair();
      const [first = 'localhost'] = names;
      const cert = certificate(
        {
          publicKey: leaf.publicKey,
          subject: [{ name: 'commonName', value: first }],
          issuer: subject,
          signer: pair.privateKey,
        },
        [
          { name: 'basicConstraints', cA: false, critical: true },
          { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
          { name: 'extKeyUsage', serverAuth: true },
          { name: 'subjectAltName', altNames: names.map(altName) },
        ],
      );
      return { key: leaf.privateKey, cert };
    },
  };
}

interface Parties {
  readonly publicKey: string;
  readonly subject: forge.pki.CertificateField[];
  readonly issuer: forge.pki.CertificateField[];
  readonly signer: string;
}

function certificate({ publicKey, subject, issuer, signer }: Parties, extensions: object[]): string {
  const made = forge.pki.createCertificate();
  made.publicKey = forge.pki.publicKeyFromPem(publicKey);
  made.serialNumber = `01${randomBytes(15).toString('hex')}`;
  made.validity.notBefore = new Date(Date.now() - 24 * 3_600_000);
  made.validity.notAfter = new Date(Date.now() + 365 * 24 * 3_600_000);
  made.setSubject(subject);
  made.setIssuer(issuer);
  made.setExtensions(extensions);
  made.sign(forge.pki.privateKeyFromPem(signer), forge.md.sha256.create());
  return forge.pki.certificateToPem(made);
}

/** Made by node:crypto, which is many times faster at it than JavaScript. */
function keyPair() {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
}

function altName(name: string): { readonly type: number; readonly value?: string; readonly ip?: string } {
  return /^[\d.]+$/.test(name) ? { type: 7, ip: name } : { type: 2, value: name };
}
