import * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { parseJson } from '../engine/json.ts';
import { redacted } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';

/** The code and message with which a service refuses a request; empty strings if the answer has none. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Returns the code and message in the body of an answer; empty strings if the body has none, as in the error page of a
 * proxy.
 *
 * Reads the forms `{error: {code, message}}` (OData and similar), `{error, error_description}` (OAuth), `{errors:
 * [{code, message}]}` (registries) and `{code, message}` (Oracle Cloud).
 */
export function refusalOf({ body }: HttpResponse): Refusal {
  const {
    error,
    error_description: description,
    errors,
    code,
    message,
  } = parseJson(refusalBody, body) ?? nothing;
  if (typeof error === 'string') {
    return { code: error, message: description };
  }
  return error ?? errors?.[0] ?? { code, message };
}

const text = z.catch(z.string(), '');
const item = z.catch(z.object({ code: text, message: text }), { code: '', message: '' });
const refusalBody = z.object({
  error: z.nullish(z.union([z.string(), item])),
  error_description: text,
  errors: z.catch(z.optional(z.array(item)), undefined),
  code: text,
  message: text,
});
const nothing = { error: undefined, error_description: '', errors: undefined, code: '', message: '' };

/**
 * Returns a sentence that names the host to which an answer redirects; an empty string if the answer is not a 3xx with
 * a Location.
 */
export function redirection({ status, headers: { location } }: HttpResponse, asked: string): string {
  if (status < 300 || status > 399 || location === undefined) {
    return '';
  }
  const to = URL.canParse(location, asked) ? new URL(location, asked).host : 'an invalid address';
  return ` It redirects to ${to}, and nothing was sent there.`;
}

const longestQuote = 240;

/**
 * Returns a sentence that quotes the first line of a service's message, with each JWT redacted and at most 240
 * characters; an empty string if that line is empty.
 */
export function quoted(said: string): string {
  const [line = ''] = said.trim().split(/\r?\n/);
  const clean = line.replaceAll(/\beyJ[\w-]+(\.[\w-]*)*/g, redacted).slice(0, longestQuote);
  return clean === '' ? '' : ` It says: ${clean.replace(/\.?$/, '.')}`;
}

/** True if the proxy login failed, so that the request did not reach the host behind the proxy. */
export function isOfProxy({ reason, message }: NodeError): boolean {
  return reason === 'ProxyUnauthorized' || message.includes('network.proxyCredentialsFile');
}

/** True if a request failed because its host name does not resolve. */
export function isUnknownName(failure: NodeError): boolean {
  for (let cause: unknown = failure.cause; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'ENOTFOUND') {
      return true;
    }
  }
  return false;
}

/**
 * Returns the error `TlsUntrusted`, which reports that the certificate of `who` is not trusted, usually because a proxy
 * replaces certificates.
 */
export function untrusted(who: string, failure: NodeError): NodeError {
  return new NodeError(
    'TlsUntrusted',
    `The certificate that ${who} shows is not trusted: ${failure.message} If a proxy re-signs, set network.caFile to its CA.`,
    { ...forPerson, cause: failure },
  );
}
