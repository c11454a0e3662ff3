import type { HttpClient, PipelineRequest, PipelineResponse } from '@azure/core-rest-pipeline';
import { NodeError } from '../../engine/errors.ts';
import type { Host, HttpResponse, HttpSend } from '../../engine/host.ts';
import { type Content, Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';

/** The address to which the SDKs send requests for the instance metadata service, regardless of the settings. */
const metadataHost = '169.254.169.254';

export const metadataOrigin = `http://${metadataHost}`;

/**
 * The options of every SDK client. They turn off retries and redirects, so that Slipway itself sees and refuses each
 * redirect.
 */
export const askedOnce = { retryOptions: { maxRetries: 0 }, redirectOptions: { maxRetries: 0 } } as const;

const metadataTimeout = 5_000;
const timeout = 10_000;

export interface AzureHttpOptions {
  readonly host: Host;
  /** The URL that replaces http://169.254.169.254. */
  readonly imdsEndpoint: string;
  /**
   * The only origin that receives requests, such as `https://team.azurecr.io`, because no other origin may receive the
   * token.
   */
  readonly origin: string;
  /**
   * Called with the outcome of each request. The SDKs wrap an outcome in their own errors, which lose what Slipway's
   * errors need: the status, Retry-After, the inner code and the Host's error.
   */
  readonly observe: (outcome: HttpResponse | Error) => void;
}

/**
 * Makes the HTTP client for the Azure SDKs. The client sends every request through the Host with a time limit, and
 * reports each outcome to `observe`. The client sends requests for the metadata service to `imdsEndpoint`, without a
 * proxy. It rethrows the Host's errors. For a request to any origin except `origin`, it throws `UnexpectedAnswer` and
 * sends nothing.
 */
export function azureHttpClient({ host, imdsEndpoint, origin, observe }: AzureHttpOptions): HttpClient {
  return {
    async sendRequest(request) {
      try {
        requireOrigin(request.url, origin);
        const response = await host.send(hostRequest(request, imdsEndpoint));
        observe(response);
        return await pipelineResponse(request, response);
      } catch (thrown) {
        if (thrown instanceof Error) {
          observe(thrown);
        }
        throw thrown;
      }
    },
  };
}

function requireOrigin(url: string, origin: string): void {
  const asked = new URL(url);
  if (asked.origin === new URL(origin).origin) {
    return;
  }
  throw new NodeError(
    'UnexpectedAnswer',
    `${origin} leads to ${asked.origin}, and nothing was sent there. Check what answers under that name.`,
    forPerson,
  );
}

function hostRequest({ url, method, headers, body }: PipelineRequest, imdsEndpoint: string): HttpSend {
  if (body !== undefined && body !== null && typeof body !== 'string') {
    throw new TypeError(`An Azure SDK sends a ${typeof body} to ${new URL(url).host}, not a text.`);
  }
  const { hostname, pathname, search } = new URL(url);
  const forMetadata = hostname === metadataHost;
  return {
    method: method === 'OPTIONS' || method === 'TRACE' ? 'GET' : method,
    url: forMetadata ? `${imdsEndpoint.replace(/\/+$/, '')}${pathname}${search}` : url,
    headers: Object.fromEntries(Object.entries(headers.toJSON()).filter(isWanted).map(shielded)),
    // The body is a Secret because the forms of the registry SDK contain tokens.
    ...(body && { body: new Secret(body) }),
    timeout: forMetadata ? metadataTimeout : timeout,
    direct: forMetadata,
  };
}

/** False for the header accept-encoding, because the Host does not decompress answers. */
function isWanted([name]: readonly [string, string]): boolean {
  return name !== 'accept-encoding';
}

function shielded([name, value]: readonly [string, string]): readonly [string, Content] {
  return [name, name === 'authorization' ? new Secret(value) : value];
}

async function pipelineResponse(request: PipelineRequest, response: HttpResponse): Promise<PipelineResponse> {
  const { createHttpHeaders } = await import('@azure/core-rest-pipeline');
  const { status, headers, body } = response;
  return { request, status, headers: createHttpHeaders(headers), bodyAsText: body };
}
