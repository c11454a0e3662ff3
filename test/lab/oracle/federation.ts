/**
 * Emulated identity of instances: their certificates, and the service that exchanges a certificate for a token.
 *
 * Models oci-go-sdk, common/auth (certificate_retriever.go, federation_client.go: subject of the leaf, key id, body,
 * claims), and the names of claims in tokens of real instances. A token is bound to the public key of its request
 * (`jwk`), and lives 20 minutes.
 *
 * Assumption: a token knows the permissions of its time, so a new policy acts with the next token.
 */
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { type Claims, Signer } from '../azure/jwt.ts';
import type { Incoming, Reply } from '../azure/loopback.ts';
import {
  type Certificate,
  issue,
  type KeyPair,
  makeAuthority,
  makeIntermediate,
} from '../standins/k3s-certificates.ts';
import { notAuthenticated, presented, signatureFault } from './signatures.ts';

/** The files below /opc/v2/identity/. */
export interface InstanceFiles {
  readonly 'cert.pem': string;
  readonly 'key.pem': string;
  readonly 'intermediate.pem': string;
}

export interface Instance {
  readonly id: string;
  readonly compartment: string;
}

/** A caller of a service, by its token. */
export interface Caller {
  readonly instance: string;
  readonly permissions: readonly string[];
}

export class Federation {
  readonly tenancy: string;
  readonly #now: () => number;
  readonly #root = makeAuthority('PKISVC Root lab');
  /** Signs the tokens of all services. */
  readonly signer = signerOf(this.#root);
  readonly #intermediate: Certificate = makeIntermediate(this.#root, 'PKISVC Identity Intermediate lab');
  readonly #permissions = new Map<string, Set<string>>();
  /** The issued tokens, oldest first. */
  readonly issued: string[] = [];
  /** The private keys of instances. */
  readonly keys: string[] = [];
  /** Milliseconds. */
  tokenLifetime = 20 * 60_000;

  constructor({ tenancy, now }: { readonly tenancy: string; readonly now: () => number }) {
    this.tenancy = tenancy;
    this.#now = now;
  }

  /** Makes a certificate for an instance; each call replaces the one before. */
  certify({ id, compartment }: Instance, life?: number): InstanceFiles {
    const pair = shortKeys();
    const organizationalUnits = [
      'opc-certtype:instance',
      `opc-compartment:${compartment}`,
      `opc-instance:${id}`,
      `opc-tenant:${this.tenancy}`,
    ];
    const spec = { commonName: id, organizationalUnits, ...(life !== undefined && { life }) };
    const { certificate } = issue(this.#intermediate, spec, pair);
    const key = String(pair.privateKey.export({ type: 'pkcs1', format: 'pem' }));
    this.keys.push(key);
    return { 'cert.pem': certificate, 'key.pem': key, 'intermediate.pem': this.#intermediate.certificate };
  }

  /** Adds or removes a policy for the dynamic group of one instance. */
  permit(instance: string, permission: string, permitted = true): void {
    const known = this.#permissions.get(instance) ?? new Set();
    this.#permissions.set(instance, known);
    if (permitted) {
      known.add(permission);
    } else {
      known.delete(permission);
    }
  }

  /** Answers the requests to auth.REGION.DOMAIN. */
  answer(request: Incoming): Reply {
    if (`${request.method} ${request.url.pathname}` !== 'POST /v1/x509') {
      return { status: 404, body: { code: 'NotFound', message: 'Not found' } };
    }
    const body = parsed(request.body);
    const leaf = certificateIn(body.certificate);
    const signature = presented(request);
    if (!leaf || !signature || this.#faultOf(request, body, leaf) !== undefined) {
      return notAuthenticated(this.#now());
    }
    return { status: 200, body: { token: this.#issue(leaf, String(body.publicKey)) } };
  }

  #faultOf(request: Incoming, body: Claims, leaf: X509Certificate): string | undefined {
    const [intermediate] = Array.isArray(body.intermediateCertificates) ? body.intermediateCertificates : [];
    const issuer = certificateIn(intermediate);
    const root = new X509Certificate(this.#root.certificate);
    const isChained =
      issuer?.verify(root.publicKey) === true &&
      leaf.verify(issuer.publicKey) &&
      leaf.validToDate.getTime() > this.#now();
    const signature = presented(request);
    const keyId = `${unitOf(leaf, 'tenant')}/fed-x509/${leaf.fingerprint}`;
    const isNamed = signature?.keyId.toUpperCase() === keyId.toUpperCase();
    if (!isChained || !isNamed || publicKeyIn(body.publicKey) === undefined) {
      return 'the certificate, its chain, its name or the public key is wrong';
    }
    return signatureFault(request, signature, leaf.publicKey, { now: this.#now(), withHost: false });
  }

  #issue(leaf: X509Certificate, publicKey: string): string {
    const issuedAt = Math.floor(this.#now() / 1000);
    const instance = unitOf(leaf, 'instance') ?? '';
    const token = this.signer.sign({
      sub: instance,
      'opc-certtype': 'instance',
      iss: 'authService.oracle.com',
      ptype: 'instance',
      ttype: 'x509',
      aud: 'oci',
      'opc-instance': instance,
      'opc-compartment': unitOf(leaf, 'compartment'),
      'opc-tenant': this.tenancy,
      jwk: publicKeyIn(publicKey)?.export({ format: 'jwk' }),
      permissions: [...(this.#permissions.get(instance) ?? [])],
      iat: issuedAt,
      exp: issuedAt + Math.floor(this.tokenLifetime / 1000),
    });
    this.issued.push(token);
    return token;
  }

  /** Returns who sent a request to a service; `undefined` for a request that is not authentic. */
  caller(request: Incoming): Caller | undefined {
    const signature = presented(request);
    const claims = this.signer.verify(signature?.keyId.replace(/^ST\$/, '') ?? '');
    if (!signature?.keyId.startsWith('ST$') || !claims || Number(claims.exp) * 1000 <= this.#now()) {
      return undefined;
    }
    const key = createPublicKey({ key: Object(claims.jwk), format: 'jwk' });
    const fault = signatureFault(request, signature, key, { now: this.#now() });
    return fault === undefined
      ? { instance: String(claims.sub), permissions: claims.permissions as readonly string[] }
      : undefined;
  }
}

function signerOf(root: Certificate): Signer {
  const { certificate, key } = issue(root, { commonName: 'tokens' }, shortKeys());
  return new Signer({ cert: certificate, key });
}

/** Returns keys that are half as long as the real ones, and made 25 times as fast. */
function shortKeys(): KeyPair {
  return generateKeyPairSync('rsa', { modulusLength: 1024 });
}

function unitOf({ subject }: X509Certificate, kind: string): string | undefined {
  return new RegExp(`opc-${kind}:(\\S+)`).exec(subject)?.[1];
}

/** Returns the certificate in one line of base64; `undefined` for any other text. */
function certificateIn(text: unknown): X509Certificate | undefined {
  const bytes = bytesIn(text);
  try {
    return bytes && new X509Certificate(bytes);
  } catch {
    return undefined;
  }
}

function publicKeyIn(text: unknown): KeyObject | undefined {
  const key = bytesIn(text);
  try {
    return key && createPublicKey({ key, format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}

function bytesIn(text: unknown): Buffer | undefined {
  return typeof text === 'string' && /^[A-Za-z0-9+/]+=*$/.test(text)
    ? Buffer.from(text, 'base64')
    : undefined;
}

function parsed(body: string): Claims {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
