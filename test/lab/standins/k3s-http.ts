/** An HTTPS client whose errors have the wording of Go's net/http, as in the log of K3s. */
import { request } from 'node:https';

export interface Exchange {
  readonly url: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly ca?: string;
  /** True if the server's certificate need not match its host name; `ca` must still have issued it. */
  readonly anyName?: boolean;
  readonly certificate?: string;
  readonly key?: string;
  /** The timeout in milliseconds; 10,000 by default. */
  readonly timeout?: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** True for an IPv4 address of this machine alone. */
export function isLoopback(address: string): boolean {
  return /^127(\.\d+){3}$/.test(address);
}

/**
 * Sends a request; resolves to any answer. If no answer comes, rejects with an Error in the wording of Go's net/http.
 * Without `ca`, accepts any certificate.
 */
export function exchange(spec: Exchange): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(new Error(goWords(spec, error), { cause: error }));
    const call = request(
      spec.url,
      {
        method: spec.method ?? 'GET',
        headers: spec.headers ?? {},
        ...(spec.ca === undefined ? { rejectUnauthorized: false } : { ca: spec.ca }),
        ...(spec.certificate === undefined ? {} : { cert: spec.certificate, key: spec.key }),
        ...(spec.anyName && { checkServerIdentity: () => undefined }),
        agent: false,
        timeout: spec.timeout ?? 10_000,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      },
    );
    call.on('timeout', () => call.destroy(new Error(timeoutExceeded)));
    call.on('error', fail);
    call.end(spec.body);
  });
}

export const timeoutExceeded = 'net/http: request canceled (Client.Timeout exceeded)';

/** Returns a status line such as "401 Unauthorized"; only the number for a status that K3s does not send. */
export function statusLine(status: number): string {
  return `${status} ${{ 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' }[status] ?? ''}`.trim();
}

function goWords(spec: Exchange, error: Error): string {
  const { host } = new URL(spec.url);
  const method = spec.method === undefined ? 'Get' : spec.method[0] + spec.method.slice(1).toLowerCase();
  const code = 'code' in error ? String(error.code) : '';
  const why =
    {
      ECONNREFUSED: `dial tcp ${host}: connect: connection refused`,
      ECONNRESET: 'EOF',
      ENOTFOUND: `dial tcp: lookup ${host.replace(/:\d+$/, '')}: no such host`,
      DEPTH_ZERO_SELF_SIGNED_CERT: unknownAuthority,
      SELF_SIGNED_CERT_IN_CHAIN: unknownAuthority,
      UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownAuthority,
      CERT_SIGNATURE_FAILURE: unknownAuthority,
    }[code] ?? error.message;
  return `${method} "${spec.url}": ${why}`;
}

export const unknownAuthority =
  'tls: failed to verify certificate: x509: certificate signed by unknown authority';
