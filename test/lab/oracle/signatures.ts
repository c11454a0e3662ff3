/**
 * Verifies signed requests as Oracle Cloud does.
 *
 * Models "Request Signatures" (docs.oracle.com, API/Concepts/signingrequests: version, algorithm, the headers to sign
 * for each method, five minutes of clock skew, one 401 NotAuthenticated for every fault) and
 * draft-cavage-http-signatures-08, section 2. Refuses a signature if its parts differ in order or form from the
 * documents.
 */
import { createHash, type KeyObject, verify } from 'node:crypto';
import type { Incoming, Reply } from '../azure/loopback.ts';

/** The parts of a signature from the Authorization header. */
export interface Presented {
  readonly keyId: string;
  readonly names: readonly string[];
  readonly signature: Buffer;
}

const form =
  /^Signature version="1",keyId="([^"]+)",algorithm="rsa-sha256",headers="([^"]+)",signature="([A-Za-z0-9+/]+=*)"$/;

/** Returns the signature in the Authorization header; `undefined` if the header is missing or has another form. */
export function presented({ headers }: Incoming): Presented | undefined {
  const [, keyId, names, signature] = form.exec(headers.authorization ?? '') ?? [];
  return keyId && names && signature
    ? { keyId, names: names.split(' '), signature: Buffer.from(signature, 'base64') }
    : undefined;
}

/** Returns the headers that a signature must cover. The federation endpoint does not require the host. */
function required(method: string, withHost: boolean): readonly string[] {
  return [
    ...['date', '(request-target)'],
    ...(withHost ? ['host'] : []),
    ...(method === 'POST' ? ['content-length', 'content-type', 'x-content-sha256'] : []),
  ];
}

/** Returns the reason why a request is not authentic; `undefined` if it is authentic. */
export function signatureFault(
  request: Incoming,
  { names, signature }: Presented,
  key: KeyObject,
  { now, withHost = true }: { readonly now: number; readonly withHost?: boolean },
): string | undefined {
  const missing = required(request.method, withHost).find((name) => !names.includes(name));
  if (missing !== undefined) {
    return `${missing} is not signed`;
  }
  const skew = Math.abs(now - Date.parse(headerValue(request, 'date') ?? ''));
  if (!(skew <= 300_000)) {
    return 'the date is missing or more than five minutes off';
  }
  const contentFault = request.method === 'POST' ? faultOfContent(request) : undefined;
  if (contentFault !== undefined) {
    return contentFault;
  }
  const lines = names.map((name) => `${name}: ${headerValue(request, name)}`);
  const isSigned = verify('sha256', Buffer.from(lines.join('\n')), key, signature);
  return isSigned ? undefined : 'the signature does not verify';
}

function headerValue({ method, url, host, headers }: Incoming, name: string): string | undefined {
  if (name === '(request-target)') {
    return `${method.toLowerCase()} ${url.pathname}${url.search}`;
  }
  return name === 'host' ? host : headers[name];
}

function faultOfContent({ headers, body }: Incoming): string | undefined {
  if (headers['content-length'] !== String(Buffer.byteLength(body))) {
    return 'content-length is wrong';
  }
  if (headers['content-type'] !== 'application/json') {
    return 'content-type is not application/json';
  }
  const digest = createHash('sha256').update(body).digest('base64');
  return headers['x-content-sha256'] === digest ? undefined : 'x-content-sha256 is wrong';
}

/** Returns the 401 for a request that is not authentic, with the server's time in the header Date. */
export function notAuthenticated(now: number): Reply {
  return refused(
    401,
    'NotAuthenticated',
    'The required information to complete authentication was not provided or was incorrect.',
    now,
  );
}

/** Returns an error reply in the form that "API Errors" documents, with the server's time in the header Date. */
export function refused(status: number, code: string, message: string, now: number): Reply {
  const headers = { date: new Date(now).toUTCString(), 'opc-request-id': 'LAB' };
  return { status, headers, body: { code, message } };
}
