/** Issues RS256 JSON Web Tokens (RFC 7515, RFC 7519), and detects forged ones. */
import {
  createPrivateKey,
  createPublicKey,
  createSign,
  createVerify,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { ServerCertificate } from './tls.ts';

export type Claims = Readonly<Record<string, unknown>>;

export class Signer {
  readonly #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

  readonly #certificate: string | undefined;

  /** Creates a signer with the key of the certificate; without a certificate, with a new key. */
  constructor(certificate?: ServerCertificate) {
    this.#certificate = certificate?.cert;
    this.#keys = certificate ? keysOf(certificate) : generateKeyPairSync('rsa', { modulusLength: 2048 });
  }

  sign(claims: Claims): string {
    return this.#sign({ alg: 'RS256', typ: 'JWT' }, claims);
  }

  /**
   * Signs like `sign`, and adds the certificate to the header (RFC 7515, section 4.1.6) for clients that know only the
   * CA; throws if the signer has no certificate.
   */
  signWithCertificate(claims: Claims): string {
    if (this.#certificate === undefined) {
      throw new Error('This signer has no certificate.');
    }
    const der = this.#certificate.replace(/-----[^-]+-----|\s/g, '');
    return this.#sign({ alg: 'RS256', typ: 'JWT', x5c: [der] }, claims);
  }

  #sign(header: object, claims: Claims): string {
    const signed = `${encode(header)}.${encode(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#keys.privateKey, 'base64url')}`;
  }

  /** Returns the claims of a token from this signer, even if the token has expired; `undefined` for any other token. */
  verify(token: string): Claims | undefined {
    const [header, claims, signature, ...rest] = token.split('.');
    if (!header || !claims || !signature || rest.length > 0) {
      return undefined;
    }
    const verifier = createVerify('RSA-SHA256').update(`${header}.${claims}`);
    return verifier.verify(this.#keys.publicKey, signature, 'base64url') ? decode(claims) : undefined;
  }
}

function keysOf({ key, cert }: ServerCertificate) {
  return { privateKey: createPrivateKey(key), publicKey: createPublicKey(cert) };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Claims {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}
