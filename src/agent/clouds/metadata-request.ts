import { soonAfter } from '../engine/backoff.ts';
import { NodeError } from '../engine/errors.ts';
import type { HostReader, HttpResponse } from '../engine/host.ts';
import type { Content } from '../engine/secret.ts';
import { forPerson } from '../engine/severity.ts';
import { quoted, redirection, refusalOf } from './answers.ts';

/** A request to the metadata service of a cloud, and the words that its error messages use. */
export interface MetadataRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, Content>>;
  /** The cloud as people write it, such as `Oracle Cloud`. */
  readonly cloud: string;
  /** The setting that contains the address of the service, such as `oracle.imdsEndpoint`. */
  readonly setting: string;
  /** Returns a sentence, with a space before it, about why this machine may have no such service. */
  readonly remark?: () => Promise<string>;
}

const timeout = 5_000;

/**
 * Sends a request to a metadata service without a proxy and with a time limit of five seconds, and returns the answer
 * with the status 200.
 *
 * Throws `IdentityUnavailable` while the service does not answer or answers 404, 410 or 5xx, `Throttled` for 429, and
 * otherwise `UnexpectedAnswer`.
 */
export async function askMetadata(host: HostReader, request: MetadataRequest): Promise<HttpResponse> {
  const { url, headers = {} } = request;
  const response = await host.get({ url, headers, timeout, direct: true }).catch(async (thrown: unknown) => {
    throw thrown instanceof NodeError ? await silent(thrown, request) : thrown;
  });
  if (response.status === 200) {
    return response;
  }
  throw refused(response, request, host.now());
}

async function silent(cause: NodeError, request: MetadataRequest): Promise<NodeError> {
  const { cloud, setting, remark = async () => '' } = request;
  return new NodeError(
    'IdentityUnavailable',
    `The instance metadata service does not answer yet: ${cause.message}${await remark()} ${elsewhere(cloud)}; in ${cloud} check ${setting} and the firewall of this host.`,
    { cause },
  );
}

function refused(response: HttpResponse, { url, cloud, setting }: MetadataRequest, now: number): NodeError {
  const { status } = response;
  const answer = `The instance metadata service answers ${status} at ${url}.`;
  const retry = soonAfter(response, now);
  if (status === 429) {
    return new NodeError('Throttled', `${answer} It is asked again in a moment.`, { retry });
  }
  if (status === 404 || status === 410 || status >= 500) {
    return new NodeError(
      'IdentityUnavailable',
      `${answer} In ${cloud} that passes, and it is asked again. ${elsewhere(cloud)}.`,
      { retry },
    );
  }
  const { code, message } = refusalOf(response);
  return new NodeError(
    'UnexpectedAnswer',
    `${answer}${quoted(message || code)}${redirection(response, url)} ${elsewhere(cloud)}; in ${cloud} check ${setting}, and that nothing on the way adds headers.`,
    forPerson,
  );
}

function elsewhere(cloud: string): string {
  return `On a machine outside ${cloud} set cloud to static (--cloud static --role server)`;
}
