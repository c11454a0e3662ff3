import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest } from 'node:https';
import { NodeError } from '../../engine/errors.ts';
import type { HttpResponse, HttpSend } from '../../engine/host.ts';
import { reveal } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { within } from '../clock/deadline.ts';
import { errnoOf } from '../files/file-errors.ts';
import type { Route, Routes } from './http-agents.ts';
import { connectionError, noAnswer, shownUrl, timedOut, unsendable } from './http-errors.ts';
import { proxyHeaders, proxyUnreachable, refusedByProxy } from './proxy.ts';

/** The maximum number of interim answers (1xx) that a server may send before the final answer. */
const mostInterim = 20;

/** The size limit of an answer's body in bytes. None of the protocols in use needs more. */
const bodyLimit = 4 * 1024 * 1024;

/**
 * Sends one request and reads the whole answer. One deadline covers name resolution, connection, headers and body, even
 * if the socket never closes. Returns a redirect instead of following it. Throws `Unreachable`, `TimedOut`,
 * `TlsUntrusted`, `ProxyUnauthorized`, `UnexpectedAnswer`, and the errors of the files that the `network` settings
 * name; no message contains a header, a body or a query.
 */
export async function exchange(request: HttpSend, routes: Routes): Promise<HttpResponse> {
  const url = addressOf(request.url);
  const timeout = request.timeout ?? 10_000;
  const late = () => timedOut(url, timeout);
  return within(timeout, late, async (signal) => {
    return answerOf(await open(url, request, routes, signal), url, signal);
  });
}

/** Reads the body of an answer. Throws `UnexpectedAnswer` for more than 4 MiB, and the errors of connections. */
export async function answerOf(
  response: IncomingMessage,
  url: URL,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const body = await bodyText(response, url, signal);
  return { status: response.statusCode ?? 0, headers: flatHeaders(response), body };
}

/**
 * Sends a request and resolves with the answer once its headers have arrived. Rejects with the errors of `exchange`, or
 * with the signal's reason if the signal is aborted. `send` ends the request; by default with its body.
 */
export async function open(
  url: URL,
  request: Omit<HttpSend, 'url'>,
  routes: Routes,
  signal: AbortSignal,
  send: (outgoing: ClientRequest) => void = (outgoing) =>
    outgoing.end(request.body === undefined ? undefined : reveal(request.body)),
): Promise<IncomingMessage> {
  const route = await routes.to(url, request, signal);
  return new Promise((resolve, reject) => {
    const outgoing = beginChecked(url, route, {
      method: request.method,
      headers: headersOf(request),
      signal,
    });
    outgoing.on('error', (thrown) =>
      reject(signal.aborted ? signal.reason : requestFailed(thrown, url, route)),
    );
    outgoing.once('response', (response) => {
      if (!route.proxy || response.statusCode !== 407) {
        return resolve(response);
      }
      outgoing.destroy(refusedByProxy(407, url, route.proxy));
    });
    // Node reports neither an upgrade nor a close as an error, so the promise would never settle.
    outgoing.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(noAnswer(url, 'it switches to another protocol (101), which was not asked for'));
    });
    outgoing.once('close', () => reject(noAnswer(url, 'it closed the connection without an answer')));
    refuseInterimFlood(outgoing, url);
    send(outgoing);
  });
}

/**
 * Begins a request. Throws `UnexpectedAnswer` for a header that HTTP does not allow, such as a token with a line break.
 */
function beginChecked(url: URL, route: Route, options: RequestOptions): ClientRequest {
  try {
    return begin(url, route, options);
  } catch (thrown) {
    throw unsendable(url, errnoOf(thrown) ?? 'it is refused', thrown);
  }
}

/** Begins a request, addressed to the proxy if the route has one (absolute form, RFC 9112 section 3.2.2). */
function begin(url: URL, { proxy, ...connection }: Route, options: RequestOptions): ClientRequest {
  if (proxy === undefined) {
    return requestFunction(url)(url, { ...connection, ...options });
  }
  const path = url.origin + url.pathname + url.search;
  const headers = { ...options.headers, host: url.host, ...proxyHeaders(proxy) };
  return requestFunction(proxy.url)(proxy.url, { ...proxy.tls, agent: false, ...options, headers, path });
}

function requestFunction({ protocol }: URL): typeof httpRequest {
  return protocol === 'https:' ? httpsRequest : httpRequest;
}

function requestFailed(thrown: unknown, url: URL, { proxy }: Route): NodeError {
  return proxy ? proxyUnreachable(thrown, proxy) : connectionError(thrown, url);
}

function refuseInterimFlood(outgoing: ClientRequest, url: URL): void {
  let seen = 0;
  outgoing.on('information', () => {
    seen += 1;
    if (seen > mostInterim) {
      outgoing.destroy(noAnswer(url, 'it sends interim answers (1xx) without an end'));
    }
  });
}

/** Parses a URL. Throws `UnexpectedAnswer` if the URL is invalid. */
export function addressOf(text: string): URL {
  if (URL.canParse(text)) {
    return new URL(text);
  }
  throw notAnAddress('A request');
}

/** Returns `UnexpectedAnswer` for an invalid URL in a request or a redirect. */
export function notAnAddress(what: string): NodeError {
  return new NodeError(
    'UnexpectedAnswer',
    `${what} leads to something that is not a URL. Check the address in the settings.`,
    forPerson,
  );
}

/**
 * Returns the headers of a request with lower-case names, and an `accept-encoding` that refuses compression. Adds the
 * length of the body, because Node sends the body of a DELETE request without any length, and the server would take the
 * body for the next request of the connection.
 */
function headersOf({ headers = {}, body }: Pick<HttpSend, 'headers' | 'body'>): Record<string, string> {
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), reveal(value)]);
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(reveal(body))) };
  return { ...Object.fromEntries(given), ...length, 'accept-encoding': 'identity' };
}

async function bodyText(response: IncomingMessage, url: URL, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > bodyLimit) {
        throw tooLong(url);
      }
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

/** Returns the headers of an answer, each as one string. */
export function flatHeaders({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : `${value}`,
    ]),
  );
}
