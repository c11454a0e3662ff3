import { shortDigest } from '../../../engine/digest.ts';
import { redacted, Secret } from '../../../engine/secret.ts';

/**
 * A parsed join token (pkg/clientaccess/token.go, parseToken): `K10<CA hash>::<user>:<password>`, a bootstrap token
 * `<id>.<secret>` with or without that prefix, or a bare password.
 */
export interface Token {
  /** Lower-case hex sha256 of the cluster's CA; `undefined` in a token without a pin, which trusts any server. */
  readonly caHash: string | undefined;
  readonly kind: 'password' | 'bootstrap';
  /** The password, or the whole `<id>.<secret>`. */
  readonly credential: string;
}

/** Parses a join token; `undefined` if K3s would refuse the string as a token. */
export function parseToken(text: string): Token | undefined {
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return undefined;
  }
  if (!token.startsWith('K10')) {
    return { caHash: undefined, ...credentials(token) };
  }
  const match = /^K10([0-9a-f]{64})?::(.+)/.exec(token);
  const [, caHash, rest = ''] = match ?? [];
  const [, password] = /^[^:]*:(.+)/.exec(rest) ?? [];
  if (isBootstrap(rest)) {
    return { caHash, ...credentials(rest) };
  }
  return password === undefined ? undefined : { caHash, kind: 'password', credential: password };
}

/**
 * Returns the first 12 hex digits of the SHA-256 of a token's credential. K3s keeps the encrypted bootstrap data of the
 * cluster under this name, so the digest shows which token belongs to a datastore (pkg/cluster/storage.go, storageKey).
 */
export function tokenDigest({ credential }: Token): string {
  return shortDigest(credential);
}

function credentials(text: string): Pick<Token, 'kind' | 'credential'> {
  return { kind: isBootstrap(text) ? 'bootstrap' : 'password', credential: text };
}

/** True for a bootstrap token in the form that kubeadm defines (bootstrapapi.BootstrapTokenPattern). */
function isBootstrap(text: string): boolean {
  return /^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(text);
}

/** Returns the Authorization header for a user and a password, such as that of a token (RFC 7617). */
export function basicAuth(user: string, password: string): Secret {
  return new Secret(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`, `Basic ${redacted}`);
}

/** Returns the Authorization header with a bootstrap token (RFC 6750). */
export function bearerAuth(token: string): Secret {
  return new Secret(`Bearer ${token}`, `Bearer ${redacted}`);
}
