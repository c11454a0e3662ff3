import * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { parseJson } from '../engine/json.ts';
import { redacted } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';

/** What a service says when it refuses, whichever of the usual forms it uses. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/**
 * Returns the refusal in an answer's body; empty texts if the body has none, as a proxy's page.
 *
 * Forms: `{error: {code, message}}` (OData and what follows it), `{error, error_description}` (OAuth),
 * `{errors: [{code, message}]}` (registries).
 */
export function refusalOf({ body }: HttpResponse): Refusal {
  const { error, error_description: message, errors } = parseJson(refusalBody, body) ?? nothing;
  if (typeof error === 'string') return { code: error, message };
  return error ?? errors?.[0] ?? { code: '', message: '' };
}

const text = z.catch(z.string(), '');
const item = z.catch(z.object({ code: text, message: text }), { code: '', message: '' });
const refusalBody = z.object({
  error: z.nullish(z.union([z.string(), item])),
  error_description: text,
  errors: z.catch(z.optional(z.array(item)), undefined),
});
const nothing = { error: undefined, error_description: '', errors: undefined };

/** Returns where an answer redirects to, as a sentence for a message of ours; empty if it does not. */
export function redirection({ status, headers: { location } }: HttpResponse, asked: string): string {
  if (status < 300 || status > 399 || location === undefined) return '';
  const to = URL.canParse(location, asked) ? new URL(location, asked).host : 'what is not an address';
  return ` It redirects to ${to}, and nothing was sent there.`;
}

const longestQuote = 240;

/** The first line of what a service said, for a message of ours; whatever looks like a token is taken out. */
export function quoted(said: string): string {
  const [line = ''] = said.trim().split(/\r?\n/);
  const clean = line.replaceAll(/\beyJ[\w-]+(\.[\w-]*)*/g, redacted).slice(0, longestQuote);
  return clean === '' ? '' : ` It says: ${clean.replace(/\.?$/, '.')}`;
}

/** True if the proxy refused its login, so that nothing is known of the host behind it. */
export function isOfProxy({ reason, message }: NodeError): boolean {
  return reason === 'ProxyUnauthorized' || message.includes('network.proxyCredentialsFile');
}

/** Whether a request failed because its host's name has no address. */
export function isUnknownName(failure: NodeError): boolean {
  for (let cause: unknown = failure.cause; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && cause.code === 'ENOTFOUND') return true;
  }
  return false;
}

/** The certificate of a service is not trusted, which a proxy that re-signs explains best. */
export function untrusted(who: string, failure: NodeError): NodeError {
  return new NodeError(
    'TlsUntrusted',
    `The certificate that ${who} shows is not trusted: ${failure.message} Where a proxy re-signs, set network.caFile to its CA.`,
    { ...forPerson, cause: failure },
  );
}
