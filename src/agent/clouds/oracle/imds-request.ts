import { soonAfter } from '../../engine/backoff.ts';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader, HttpResponse } from '../../engine/host.ts';
import { forPerson } from '../../engine/severity.ts';
import { quoted, redirection, refusalOf } from '../answers.ts';

/** The header that version 2 of the service requires, so that a browser or a proxy cannot be tricked into a request. */
const headers = { authorization: 'Bearer Oracle' };

const timeout = 5_000;

/**
 * Requests a path below /opc/v2/ without a proxy, and returns the body of the answer.
 *
 * Throws `IdentityUnavailable` while the service does not answer or answers 404 or 5xx, `Throttled` for 429, and
 * otherwise `UnexpectedAnswer`. Does not try version 1, which needs no header and can be switched off.
 */
export async function askMetadata(host: HostReader, endpoint: string, path: string): Promise<string> {
  const url = `${endpoint.replace(/\/+$/, '')}/opc/v2/${path}`;
  const response = await host.get({ url, headers, timeout, direct: true }).catch(unavailable);
  if (response.status === 200) {
    return response.body;
  }
  throw metadataRefused(response, url, host.now());
}

const elsewhere = 'On a machine outside Oracle Cloud set cloud to static (--cloud static --role server)';

function unavailable(thrown: unknown): never {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
  throw new NodeError(
    'IdentityUnavailable',
    `The instance metadata service does not answer yet: ${thrown.message} ${elsewhere}; in Oracle Cloud check oracle.imdsEndpoint and the firewall of this host.`,
    { cause: thrown },
  );
}

function metadataRefused(response: HttpResponse, url: string, now: number): NodeError {
  const { status } = response;
  const answer = `The instance metadata service answers ${status} at ${url}.`;
  const retry = soonAfter(response, now);
  if (status === 429) {
    return new NodeError('Throttled', `${answer} It is asked again in a moment.`, { retry });
  }
  if (status === 404 || status >= 500) {
    return new NodeError(
      'IdentityUnavailable',
      `${answer} In Oracle Cloud that passes, and it is asked again. ${elsewhere}.`,
      { retry },
    );
  }
  const { code, message } = refusalOf(response);
  return new NodeError(
    'UnexpectedAnswer',
    `${answer}${quoted(message || code)}${redirection(response, url)} ${elsewhere}; in Oracle Cloud check oracle.imdsEndpoint, and that nothing on the way adds headers.`,
    forPerson,
  );
}
