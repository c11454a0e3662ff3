import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/** Creates a CA, and a key with a certificate that the CA signed for these host names or IPv4 addresses; all as PEM. */
export function certificates(...hosts: readonly string[]) {
  const root = keys();
  const leaf = keys();
  const ca = signed(root.public, 'Test CA', 'Test CA', root.private, [
    { name: 'basicConstraints', cA: true },
  ]);
  const altNames = hosts.map((host) =>
    /^[\d.]+$/.test(host) ? { type: 7, ip: host } : { type: 2, value: host },
  );
  const cert = signed(leaf.public, 'server', 'Test CA', root.private, [{ name: 'subjectAltName', altNames }]);
  return { ca, cert, key: leaf.privatePem };
}

function keys() {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    public: forge.pki.publicKeyFromPem(pair.publicKey),
    private: forge.pki.privateKeyFromPem(pair.privateKey),
    privatePem: pair.privateKey,
  };
}

function signed(
  publicKey: forge.pki.PublicKey,
  subject: string,
  issuer: string,
  privateKey: forge.pki.rsa.PrivateKey,
  extensions: object[],
): string {
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = publicKey;
  certificate.serialNumber = '01';
  certificate.validity.notBefore = new Date(Date.now() - 86_400_000);
  certificate.validity.notAfter = new Date(Date.now() + 86_400_000);
  certificate.setSubject([{ name: 'commonName', value: subject }]);
  certificate.setIssuer([{ name: 'commonName', value: issuer }]);
  certificate.setExtensions(extensions);
  certificate.sign(privateKey, forge.md.sha256.create());
  return forge.pki.certificateToPem(certificate);
}
