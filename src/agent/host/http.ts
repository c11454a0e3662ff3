import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { NodeError } from '../core/errors.ts';
import type { HttpResponse, HttpSend } from '../core/host.ts';
import { reveal } from '../core/secret.ts';
import type { Routes } from './http-agents.ts';
import { connectionError, shownUrl, timedOut } from './http-errors.ts';

/** Bytes of an answer that are read; a longer one is not what any of our protocols promises. */
const bodyLimit = 4 * 1024 * 1024;

/**
 * One request and its whole answer within one deadline, which covers name, connection, headers and body. Redirects
 * are answers like any other. `Unreachable`, `TimedOut`, `TlsUntrusted`; no message holds a header, a body or a query.
 */
export async function exchange(request: HttpSend, routes: Routes): Promise<HttpResponse> {
  const url = new URL(request.url);
  const timeout = request.timeout ?? 10_000;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(timedOut(url, timeout)), timeout);
  try {
    const response = await open(url, request, routes, deadline.signal);
    const body = await text(response, url, deadline.signal);
    return { status: response.statusCode ?? 0, headers: flat(response), body };
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a request and resolves with the answer's head; its body is still to be read. Ends with `signal`'s reason. */
export async function open(
  url: URL,
  request: Omit<HttpSend, 'url'>,
  routes: Routes,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const route = await routes.to(url, request, signal);
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = send(url, { ...route, method: request.method, headers: headersOf(request), signal });
    outgoing.on('error', (thrown) => reject(signal.aborted ? signal.reason : connectionError(thrown, url)));
    outgoing.once('proxyConnect', ({ statusCode }: { readonly statusCode: number }) => {
      if (statusCode !== 200) reject(refusedByProxy(url, statusCode));
    });
    outgoing.once('response', resolve);
    outgoing.end(request.body === undefined ? undefined : reveal(request.body));
  });
}

/** Compressed answers are never asked for, so none has to be unpacked. */
function headersOf({ headers = {} }: Pick<HttpSend, 'headers'>): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), reveal(value)]);
  return { ...Object.fromEntries(given), 'accept-encoding': 'identity' };
}

function refusedByProxy(url: URL, status: number): NodeError {
  return new NodeError(
    'Unreachable',
    `The proxy refuses to connect to ${url.host}: it answered ${status}. Allow it there, or name it in network.noProxy.`,
  );
}

async function text(response: IncomingMessage, url: URL, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > bodyLimit) throw tooLong(url);
      chunks.push(chunk);
    }
  } catch (thrown) {
    throw signal.aborted ? signal.reason : connectionError(thrown, url);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLong(url: URL): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${shownUrl(url)} answered with more than 4 MiB. Check that the address is the right one.`,
  );
}

function flat({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : `${value}`,
    ]),
  );
}
