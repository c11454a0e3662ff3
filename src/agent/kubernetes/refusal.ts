import * as z from 'zod/mini';
import { soonAfter } from '../engine/backoff.ts';
import { NodeError } from '../engine/errors.ts';
import type { HttpResponse } from '../engine/host.ts';
import { parseJson } from '../engine/json.ts';
import { printableLine } from '../engine/printable.ts';

const longestQuote = 400;

/**
 * Returns the error for an answer in which the API reports a failure: `ApiForbidden` (401, 403), `ApiConflict` (409),
 * `ApiRejected` (other 4xx except 429, and a field that the schema lacks), otherwise `ApiUnavailable`. `what` is the
 * request in words, such as `read nodes/a`; `now` is in epoch milliseconds.
 *
 * The message quotes the API's Status (k8s.io/apimachinery, meta/v1), which never contains the values of a Secret.
 */
export function apiRefusal(response: HttpResponse, what: string, now: number): NodeError {
  const said = quoteOf(response.body);
  switch (response.status) {
    case 401:
      return new NodeError(
        'ApiForbidden',
        `The Kubernetes API does not accept the certificate of this node (${what}).${said} A restart of K3s renews it.`,
      );
    case 403:
      return new NodeError('ApiForbidden', `The Kubernetes API does not allow this node to ${what}.${said}`);
    case 409:
      return new NodeError('ApiConflict', `The Kubernetes API reports a conflict (${what}).${said}`);
    case 429:
      return unavailable(response, what, said, now);
    default:
      return isRefusal(response)
        ? new NodeError('ApiRejected', `The Kubernetes API refuses to ${what}.${said}`)
        : unavailable(response, what, said, now);
  }
}

/**
 * True if the API has read the request and refuses it. The API answers 500 to an apply with a field that its schema
 * lacks (apimachinery, managedfields/internal/structuredmerge.go).
 */
function isRefusal({ status, body }: HttpResponse): boolean {
  return (status >= 400 && status < 500) || body.includes('failed to create typed patch object');
}

function unavailable(response: HttpResponse, what: string, said: string, now: number): NodeError {
  return new NodeError(
    'ApiUnavailable',
    `The Kubernetes API answers ${response.status} (${what}).${said} It is asked again.`,
    { retry: soonAfter(response, now) },
  );
}

function quoteOf(body: string): string {
  const said = printableLine(parseJson(status, body)?.message ?? '').slice(0, longestQuote);
  return said === '' ? '' : ` It says: ${said.replace(/\.?$/, '.')}`;
}

const status = z.object({ kind: z.literal('Status'), message: z.string() });
