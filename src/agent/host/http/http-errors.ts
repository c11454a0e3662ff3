import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { errnoOf } from '../files/file-errors.ts';

/**
 * Returns a failed exchange as a NodeError: `TlsUntrusted` if its certificate is the cause, else `Unreachable`. The
 * cause is the thrown error, so that a caller can recognize a name that does not resolve by its code ENOTFOUND.
 */
export function connectionError(thrown: unknown, url: URL): NodeError {
  if (thrown instanceof NodeError) {
    return thrown;
  }
  const code = errnoOf(thrown) ?? 'the connection failed';
  if (isTlsFailure(code)) {
    return tlsUntrusted(code, url, thrown);
  }
  if (code.startsWith('HPE_')) {
    return noAnswer(url, `it is not an HTTP answer (${code})`);
  }
  return new NodeError('Unreachable', `Cannot reach ${shownUrl(url)}: ${code}. ${hintFor(code)}`, {
    cause: thrown,
  });
}

/** Returns the meaning of an errno of a connection, for a person. */
export function hintFor(code: string): string {
  return hints[code] ?? 'Check that it runs and that routes and firewalls let this host through.';
}

const hints: Readonly<Record<string, string>> = {
  ENOTFOUND: 'The name does not resolve: check it, and the DNS servers of this host.',
  EAI_AGAIN: 'The DNS servers of this host do not answer.',
  ECONNREFUSED: 'Nothing listens there, or a firewall refuses.',
  ECONNRESET: 'The other side, or something between, cut the connection.',
};

/** True for codes of OpenSSL's verification, of Node's host name check, and of a broken handshake. */
function isTlsFailure(code: string): boolean {
  return /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|EPROTO$)|SELF_SIGNED|INVALID_CA|INVALID_PURPOSE/.test(code);
}

function tlsUntrusted(code: string, url: URL, cause: unknown): NodeError {
  const why =
    code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED'
      ? 'Check the clock of this host first, then the certificate.'
      : 'If a proxy or a private CA signs it, set network.caFile to its certificate.';
  return new NodeError('TlsUntrusted', `The certificate of ${url.host} is not trusted: ${code}. ${why}`, {
    ...forPerson,
    cause,
  });
}

/** Returns `UnexpectedAnswer`, for a connection that does not carry the answer to a request. */
export function noAnswer(url: URL, why: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${shownUrl(url)} does not answer as an HTTP server: ${why}. Check that the address and the port are the right ones.`,
  );
}

/** Returns `UnexpectedAnswer`, for a request that cannot be put into HTTP; quotes no header. */
export function unsendable(url: URL, code: string, cause: unknown): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `No request can be made to ${shownUrl(url)} (${code}): its address or one of its headers holds what HTTP does not allow, as a ` +
      'token with a line break does. Check what gave the address or the token out.',
    { ...forPerson, cause },
  );
}

/** Returns `TimedOut`, for an exchange that did not end within `milliseconds`. */
export function timedOut(url: URL, milliseconds: number): NodeError {
  return new NodeError(
    'TimedOut',
    `${shownUrl(url)} did not answer within ${milliseconds / 1_000} s. Check that it runs and can be reached.`,
  );
}

/** Returns an address without the parts that may be secret: user, password, query. */
export function shownUrl(url: URL): string {
  return url.origin + url.pathname;
}
