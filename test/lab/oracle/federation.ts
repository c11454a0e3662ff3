/**
 * Emulated instance principals of Oracle Cloud: the certificates of instances, and the service that exchanges a
 * certificate for a token.
 *
 * Models oci-go-sdk, common/auth (certificate_retriever.go, federation_client.go: subject of the leaf, key id, body,
 * claims), and the claim names in tokens of real instances. A token contains the public key from the request for it
 * (`jwk`), and is valid for 20 minutes.
 *
 * Assumption: a token contains the permissions at the time of its issue, so a new policy takes effect with the next
 * token.
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

/** The PEM files that the metadata service serves below /opc/v2/identity/. */
export interface InstanceFiles {
  readonly 'cert.pem': string;
  readonly 'key.pem': string;
  readonly 'intermediate.pem': string;
}

export interface Instance {
  readonly id: string;
  readonly compartment: string;
}

/** The instance that called a service, and its permissions, both from the token. */
export interface Caller {
  readonly instance: string;
  readonly permissions: readonly string[];
}

export class Federation {
  readonly tenancy: string;
  readonly #now: () => number;
  readonly #root = makeAuthority('PKISVC Root lab');
  /** The signer of the federation's tokens and of the registries' tokens. */
  readonly signer = signerOf(this.#root);
  readonly #intermediate: Certificate = makeIntermediate(this.#root, 'PKISVC Identity Intermediate lab');
  readonly #permissions = new Map<string, Set<string>>();
  /** The issued tokens, oldest first. */
  readonly issued: string[] = [];
  /** Every private key issued to an instance, as PEM. */
  readonly keys: string[] = [];
  /** The lifetime of a token, in milliseconds. */
  tokenLifetime = 20 * 60_000;

  constructor({ tenancy, now }: { readonly tenancy: string; readonly now: () => number }) {
    this.tenancy = tenancy;
    this.#now = now;
  }

  /** Issues a certificate with a new key for an instance; `life` is in milliseconds, by default ten years. */
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

  /** Grants one instance a permission, as a policy for a dynamic group does, or revokes it if `permitted` is false. */
  permit(instance: string, permission: string, permitted = true): void {
    const known = this.#permissions.get(instance) ?? new Set();
    this.#permissions.set(instance, known);
    if (permitted) {
      known.add(permission);
    } else {
      known.delete(permission);
    }
  }

  /**
   * Answers a request to auth.REGION.DOMAIN. POST /v1/x509 gets a token if certificate and signature are valid, and
   * otherwise a 401; any other request gets a 404.
   */
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

  /** Returns the sender of a request to a service; `undefined` if the token or the signature is invalid. */
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

/** Generates an RSA key pair of half the real length, which takes a twenty-fifth of the time. */
function shortKeys(): KeyPair {
  return generateKeyPairSync('rsa', { modulusLength: 1024 });
}

function unitOf({ subject }: X509Certificate, kind: string): string | undefined {
  return new RegExp(`opc-${kind}:(\\S+)`).exec(subject)?.[1];
}

/** Returns the certificate that one line of base64 encodes; `undefined` for any other value. */
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
