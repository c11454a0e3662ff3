/**
 * The common part of the emulated cloud servers: a listener on loopback, a log of requests, and faults on demand.
 *
 * The log contains no headers, bodies or URL signatures, so that it can be printed.
 */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerCertificate } from './tls.ts';

export interface Incoming {
  readonly method: string;
  readonly url: URL;
  /** The host name in the request, in lower case and without a port. */
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The bytes of the body, which may not be text. */
  readonly raw: Buffer;
}

/** An answer of a server; a string or a buffer is sent unchanged, any other body as JSON. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface LoggedRequest {
  readonly server: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** The status of the answer; 0 if a fault left the request without an answer. */
  readonly status: number;
}

/** A fault of a server: no answer, a cut connection, a 200 with invalid JSON, a late answer, or a specific answer. */
export type Fault = 'hang' | 'reset' | 'garbage' | 'slow' | Reply;

/** The delay of a slow server in milliseconds, which is shorter than the clients' timeouts. */
const slowness = 1_500;

/**
 * The faults of one server. A request gets the newest fault that matches its path; a fault applies to at most `times`
 * requests.
 */
export class Faults {
  #active: { readonly fault: Fault; readonly on: RegExp; times: number }[] = [];

  fail(fault: Fault, { on = /./, times = Number.POSITIVE_INFINITY }: FaultOptions = {}): void {
    this.#active.unshift({ fault, on, times });
  }

  heal(): void {
    this.#active = [];
  }

  get hang(): boolean {
    return this.#active.some(({ fault, times }) => fault === 'hang' && times > 0);
  }

  take(path: string): Fault | undefined {
    const found = this.#active.find((each) => each.times > 0 && each.on.test(path));
    if (found) {
      found.times -= 1;
    }
    return found?.fault;
  }
}

export interface FaultOptions {
  readonly on?: RegExp;
  readonly times?: number;
}

export interface LoopbackOptions {
  readonly name: string;
  readonly log: LoggedRequest[];
  readonly faults: Faults;
  readonly answer: (request: Incoming) => Reply | Promise<Reply>;
  readonly tls?: ServerCertificate;
  /** The port to listen on; by default any free one. */
  readonly port?: number | undefined;
}

export interface Loopback {
  readonly port: number;
  stop(): Promise<void>;
}

/** Starts a server on 127.0.0.1, with TLS if `tls` is given, that logs each request and applies the faults. */
export async function startLoopback(options: LoopbackOptions): Promise<Loopback> {
  const listener: RequestListener = (request, response) => void serve(options, request, response);
  const server = options.tls ? createTlsServer(options.tls, listener) : createServer(listener);
  // By default, Node closes a connection that is idle for five seconds, for example while a busy machine loads an SDK.
  server.keepAliveTimeout = 0;
  return listen(server, options.port);
}

/** Makes a server listen on 127.0.0.1; rejects if it cannot. `stop` cuts all open connections. */
export async function listen(server: Server, port = 0): Promise<Loopback> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed).listen(port, '127.0.0.1', listening);
  });
  const { port: listeningPort } = server.address() as AddressInfo;
  return { port: listeningPort, stop: () => close(server, sockets) };
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = new Promise((done) => server.close(done));
  for (const socket of sockets) {
    socket.destroy();
  }
  await closed;
}

async function serve(options: LoopbackOptions, message: IncomingMessage, response: ServerResponse) {
  const request = await read(message);
  const fault = options.faults.take(request.url.pathname);
  if (fault === 'slow') {
    await sleep(slowness);
  }
  const reply = fault && fault !== 'slow' ? fault : await options.answer(request);
  log(options, request, typeof reply === 'object' ? reply.status : reply === 'garbage' ? 200 : 0);
  if (reply === 'hang') {
    return;
  }
  if (reply === 'reset') {
    message.socket.destroy();
  } else if (reply === 'garbage') {
    respond(response, { status: 200, body: '<html>It works!</html>' });
  } else {
    respond(response, reply);
  }
}

async function read(message: IncomingMessage): Promise<Incoming> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) {
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  const { host = '', ...headers } = message.headers;
  return {
    method: message.method ?? 'GET',
    url: new URL(message.url ?? '/', 'http://loopback'),
    host: host.replace(/:\d+$/, '').toLowerCase(),
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    body: raw.toString('utf8'),
    raw,
  };
}

function log({ name, log }: LoopbackOptions, { method, host, url }: Incoming, status: number): void {
  // The signature in a URL gives access without a token, so the log must not contain it.
  const query = url.search.replace(/([?&]sig=)[^&]*/, '$1REDACTED');
  log.push({ server: name, method, host, path: url.pathname, query, status });
}

function respond(response: ServerResponse, { status, headers, body = '' }: Reply): void {
  const isText = typeof body === 'string';
  const content = isText || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const type = content === body ? 'text/html' : 'application/json';
  const length = Buffer.byteLength(content);
  response.writeHead(status, { 'content-type': type, 'content-length': length, ...headers });
  response.end(content);
}
