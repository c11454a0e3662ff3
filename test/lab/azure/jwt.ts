/** RS256 JSON Web Tokens (RFC 7515, RFC 7519): enough to issue them and to tell a forged one. */
import { createSign, createVerify, generateKeyPairSync, type KeyObject } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

export class Signer {
  readonly #keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };

  constructor() {
    this.#keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  }

  sign(claims: Claims): string {
    const signed = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
    return `${signed}.${createSign('RSA-SHA256').update(signed).sign(this.#keys.privateKey, 'base64url')}`;
  }

  /** The claims of a token this signer made, whatever its age. */
  verify(token: string): Claims | undefined {
    const [header, claims, signature, ...rest] = token.split('.');
    if (!header || !claims || !signature || rest.length > 0) return undefined;
    const verifier = createVerify('RSA-SHA256').update(`${header}.${claims}`);
    return verifier.verify(this.#keys.publicKey, signature, 'base64url') ? decode(claims) : undefined;
  }
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function decode(part: string): Claims {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
}
