import { createHmac } from 'node:crypto';
import { sha256 } from '../../engine/digest.ts';
import { type Content, Secret } from '../../engine/secret.ts';

/** A key of an account, and the region in whose name it signs. */
export interface SigningKey {
  readonly id: string;
  readonly secret: Secret;
  readonly region: string;
}

/** A request to sign. The names of the headers are lower-case; the signature covers all of them, and the host. */
export interface Unsigned {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The SHA-256 of the body as lower-case hex. */
  readonly sha256: string;
}

/**
 * Returns the headers of a request with its signature; `now` is in epoch milliseconds. The path of the URL must not
 * need an encoding. Source: docs.aws.amazon.com, "Signature Calculations for the Authorization Header: Transferring
 * Payload in a Single Chunk (AWS Signature Version 4)".
 */
export function signedHeaders(
  { method, url, headers, sha256: digest }: Unsigned,
  { id, secret, region }: SigningKey,
  now: number,
): Readonly<Record<string, Content>> {
  const { host, pathname, searchParams } = new URL(url);
  const time = new Date(now).toISOString().replaceAll(/[:-]|\.\d{3}/g, '');
  const sent = { ...headers, 'x-amz-content-sha256': digest, 'x-amz-date': time };
  const covered = sorted(Object.entries({ ...sent, host }));
  const names = covered.map(([name]) => name).join(';');
  const canonical = [
    method,
    pathname,
    canonicalQuery(searchParams),
    ...covered.map(([name, value]) => `${name}:${value.trim().replaceAll(/\s+/g, ' ')}`),
    '',
    names,
    digest,
  ].join('\n');
  const scope = `${time.slice(0, 8)}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secret.reveal()}`));
  const signature = hmac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${id}/${scope}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...sent, authorization: new Secret(authorization) };
}

/** Returns the parameters of a query, encoded as RFC 3986 demands and then sorted. */
function canonicalQuery(parameters: URLSearchParams): string {
  const encoded = [...parameters].map(([name, value]) => [encoded3986(name), encoded3986(value)] as const);
  return sorted(encoded)
    .map((pair) => pair.join('='))
    .join('&');
}

function encoded3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sorted(pairs: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  return [...pairs].sort(([one], [other]) => (one < other ? -1 : 1));
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
