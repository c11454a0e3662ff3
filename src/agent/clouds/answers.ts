import * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { parseJson } from '../engine/json.ts';
import { redacted } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';

/** The code and message of a service that refuses a request; empty strings if the answer has none. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Returns the refusal in an answer's body, or empty strings if the body, such as the page of a proxy, has none.
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
 * Returns a sentence that quotes the first line of a service's message, cut after 240 characters and with each JWT
 * redacted; an empty string if the line is empty.
 */
export function quoted(said: string): string {
  const [line = ''] = said.trim().split(/\r?\n/);
  const clean = line.replaceAll(/\beyJ[\w-]+(\.[\w-]*)*/g, redacted).slice(0, longestQuote);
  return clean === '' ? '' : ` It says: ${clean.replace(/\.?$/, '.')}`;
}

/** True if a request failed because of the login for the proxy, so that the host behind the proxy was not reached. */
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

/** Returns `TlsUntrusted` for a certificate that is not trusted, usually because a proxy replaces certificates. */
export function untrusted(who: string, failure: NodeError): NodeError {
  return new NodeError(
    'TlsUntrusted',
    `The certificate that ${who} shows is not trusted: ${failure.message} If a proxy re-signs, set network.caFile to its CA.`,
    { ...forPerson, cause: failure },
  );
}
