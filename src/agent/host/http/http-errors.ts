import { NodeError } from '../../engine/errors.ts';
import { forPerson } from '../../engine/severity.ts';
import { errnoOf } from '../files/file-errors.ts';

/**
 * Returns the NodeError of a failed exchange: `TlsUntrusted` for a failed certificate check or TLS handshake,
 * `UnexpectedAnswer` for an answer that is not HTTP, otherwise `Unreachable`. Returns a NodeError unchanged. The
 * error's `cause` is the thrown error, so that callers can recognize an unknown host name by the code ENOTFOUND.
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

/** Returns a sentence for messages that explains the error code of a connection, or what to check. */
export function hintFor(code: string): string {
  return hints[code] ?? 'Check that it runs and that routes and firewalls let this host through.';
}

const hints: Readonly<Record<string, string>> = {
  ENOTFOUND: 'The name does not resolve: check it, and the DNS servers of this host.',
  EAI_AGAIN: 'The DNS servers of this host do not answer.',
  ECONNREFUSED: 'Nothing listens there, or a firewall refuses.',
  ECONNRESET: 'The other side, or something between, cut the connection.',
};

/** True for the error codes of certificate verification, host name checks and failed handshakes. */
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

/** Returns `UnexpectedAnswer` for a server that does not send an HTTP answer. `why` completes the message. */
export function noAnswer(url: URL, why: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${shownUrl(url)} does not answer as an HTTP server: ${why}. Check that the address and the port are the right ones.`,
  );
}

/**
 * Returns `UnexpectedAnswer` for a request whose address or headers HTTP does not allow. Does not quote the headers,
 * which may contain a secret.
 */
export function unsendable(url: URL, code: string, cause: unknown): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `No request can be made to ${shownUrl(url)} (${code}): its address or one of its headers holds what HTTP does not allow, as a ` +
      'token with a line break does. Check what gave the address or the token out.',
    { ...forPerson, cause },
  );
}

/** Returns `TimedOut` for an exchange that did not end within `milliseconds`. */
export function timedOut(url: URL, milliseconds: number): NodeError {
  return new NodeError(
    'TimedOut',
    `${shownUrl(url)} did not answer within ${milliseconds / 1_000} s. Check that it runs and can be reached.`,
  );
}

/** Returns a URL without the parts that may be secret: user, password and query. */
export function shownUrl(url: URL): string {
  return url.origin + url.pathname;
}
