import { hash, type KeyObject, sign } from 'node:crypto';
import type { HttpSend } from '../../engine/host.ts';
import { Secret } from '../../engine/secret.ts';

/** A key that signs requests, and the name by which a service finds its public half. */
export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/**
 * A request before it is signed; the body of a POST is JSON or empty. The signature does not cover the body of a PUT,
 * because the service that stores objects does not demand it.
 */
export type Unsigned =
  | { readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'; readonly url: string }
  | { readonly method: 'POST'; readonly url: string; readonly body: string };

/**
 * Returns the request with the headers that contain its date and signature; `now` is in epoch milliseconds.
 *
 * The signature covers the date, the target and the host; for a POST also the length, type and digest of the body, even
 * of an empty one. Source: docs.oracle.com, "Request Signatures" (draft-cavage-http-signatures-08).
 */
export function signedRequest(request: Unsigned, { keyId, privateKey }: SigningKey, now: number): HttpSend {
  const { host, pathname, search } = new URL(request.url);
  const target = `${request.method.toLowerCase()} ${pathname}${search}`;
  const headers = {
    date: new Date(now).toUTCString(),
    host,
    ...(request.method === 'POST' && contentHeaders(request.body)),
  };
  const covered = { '(request-target)': target, ...headers };
  const names = Object.keys(covered).join(' ');
  const signature = sign('sha256', Buffer.from(signingString(covered)), privateKey).toString('base64');
  const authorization = `Signature version="1",keyId="${keyId}",algorithm="rsa-sha256",headers="${names}",signature="${signature}"`;
  return { ...request, headers: { ...headers, authorization: new Secret(authorization) } };
}

function contentHeaders(body: string) {
  return {
    'content-length': String(Buffer.byteLength(body)),
    'content-type': 'application/json',
    'x-content-sha256': hash('sha256', body, 'base64'),
  };
}

/** Returns the string to sign: one line for each entry of `covered`, in the same order, without a final newline. */
export function signingString(covered: Readonly<Record<string, string>>): string {
  return Object.entries(covered)
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}
