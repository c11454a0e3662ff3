import { generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Host } from '../../engine/host.ts';
import { readJwt } from '../jwt.ts';
import { requestToken } from './federation.ts';
import type { Place } from './imds.ts';
import { readCertificates } from './instance-certificates.ts';
import type { SigningKey } from './signature.ts';

/** The VM's instance principal, whose key signs the VM's requests to services. */
export interface InstancePrincipal {
  /** Returns a key with a token that is not due for renewal; requests a new token if necessary. */
  key(): Promise<SigningKey>;
  /**
   * Discards the token, so that the next `key` gets a new one. A changed dynamic group or policy may require a new
   * token.
   */
  forget(): void;
}

export interface PrincipalOptions {
  readonly host: Host;
  readonly imdsEndpoint: string;
  readonly place: () => Promise<Place>;
}

interface Session extends SigningKey {
  /** When the token is replaced, in milliseconds of the monotonic clock. */
  readonly renewAt: number;
}

/**
 * Makes the VM's instance principal, which keeps a token and its key in memory for two thirds of the token's life.
 *
 * Reads the VM's certificates for each token, since Oracle Cloud replaces them several times a day. `key` throws
 * `InstancePrincipalUnavailable`, `InstancePrincipalRefused`, `Throttled`, `TlsUntrusted`, `UnexpectedAnswer`, and the
 * errors of the metadata service and of the proxy login. Source: oci-go-sdk, common/auth (federation_client.go,
 * certificate_retriever.go).
 */
export function instancePrincipal({ host, imdsEndpoint, place }: PrincipalOptions): InstancePrincipal {
  let session: Promise<Session> | undefined;
  async function begin(): Promise<Session> {
    const leaf = await readCertificates(host, imdsEndpoint);
    const pair = await keyPair();
    const token = await requestToken({ host, place: await place() }, leaf, pair.publicKey);
    return {
      keyId: `ST$${token}`,
      privateKey: pair.privateKey,
      renewAt: host.monotonic() + (lifeOf(token) * 2) / 3,
    };
  }
  return {
    async key() {
      const before = session;
      const known = await before?.catch(() => undefined);
      if (known !== undefined && host.monotonic() < known.renewAt) {
        return known;
      }
      // Another caller may have begun a session meanwhile.
      if (session === undefined || session === before) {
        session = begin();
      }
      return session;
    },
    forget() {
      session = undefined;
    },
  };
}

/**
 * Returns the life of a token in milliseconds, `exp - iat`; zero for a token without these dates, so that only the
 * calls that already wait for the token use it.
 */
function lifeOf(token: string): number {
  const jwt = readJwt(token);
  return jwt === undefined ? 0 : jwt.expiresAt - jwt.issuedAt;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const makeKeyPair = promisify(generateKeyPair);
let ownKeyPair: Promise<KeyPair> | undefined;

/**
 * Returns the key pair of this process, and makes it on the first call. Oracle Cloud accepts RSA keys of 2048 bits;
 * making one takes a third of a second of CPU time, so one pair serves all tokens of the process.
 */
function keyPair(): Promise<KeyPair> {
  ownKeyPair ??= makeKeyPair('rsa', { modulusLength: 2048 });
  return ownKeyPair;
}
