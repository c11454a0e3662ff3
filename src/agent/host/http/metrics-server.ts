import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errnoOf } from '../files/file-errors.ts';

/** The text to serve, rendered for each request. */
export interface ServedText {
  text(): Promise<string>;
  readonly contentType: string;
}

const path = '/metrics';
/**
 * The time limit of a request and of its answer, and the interval between two checks of these limits, in milliseconds.
 */
const patience = 10_000;
const checkInterval = 1_000;
/**
 * The maximum number of open connections. A further connection closes the oldest, so that silent clients do not block
 * others.
 */
const mostConnections = 16;

/**
 * Makes a server that serves a text at /metrics. Answers other paths with 404 and methods other than GET with 405. Does
 * not keep the process alive.
 *
 * `follow` makes the server listen only at the given address, such as 127.0.0.1:9753; without an address, the server
 * stops. `follow` resolves to a message if the address is unusable; the next call tries again.
 */
export function metricsServer(served: ServedText) {
  let open: { readonly address: string; readonly server: Server } | undefined;
  return {
    async follow(address: string | undefined): Promise<string | undefined> {
      if (open?.address === address) {
        return undefined;
      }
      if (open) {
        await closeServer(open.server);
      }
      open = undefined;
      if (address === undefined) {
        return undefined;
      }
      try {
        open = { address, server: await listenOn(address, served) };
        return undefined;
      } catch (thrown) {
        return listenRefused(address, thrown);
      }
    },
  };
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
}

async function listenOn(address: string, served: ServedText): Promise<Server> {
  const { hostname, port } = new URL(`http://${address}`);
  const options = {
    requestTimeout: patience,
    headersTimeout: patience,
    connectionsCheckingInterval: checkInterval,
  };
  const asking = new WeakSet<Socket>();
  const server = createServer(options, (request, response) => {
    const { socket } = request;
    // A client that sends requests without reading the answers would fill the memory with unsent answers.
    if (asking.has(socket)) {
      return void socket.destroy();
    }
    asking.add(socket);
    response.once('close', () => asking.delete(socket));
    answerScrape(request, response, served).catch(() => response.destroy());
  });
  const admit = admission();
  server.on('connection', (socket) => {
    socket.unref();
    socket.setTimeout(patience, () => socket.destroy());
    admit(socket);
  });
  server.listen({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) });
  await once(server, 'listening');
  // Ignores later errors, such as a lack of descriptors: they cost a connection, but must not end the daemon.
  server.on('error', () => {});
  // Unreferences the server only now, because the process must stay alive until the server listens.
  return server.unref();
}

/**
 * Returns a function that admits a connection, and closes the oldest one if too many are open. A scraper sends its
 * request at once, so it is answered before newer connections can displace it.
 */
function admission(): (socket: Socket) => void {
  const open = new Set<Socket>();
  return (socket) => {
    const [oldest] = open;
    if (open.size >= mostConnections) {
      oldest?.destroy();
    }
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    if (oldest?.destroyed) {
      open.delete(oldest);
    }
  };
}

function listenRefused(address: string, thrown: unknown): string {
  const errno = errnoOf(thrown) ?? String(thrown);
  const what = `The metrics cannot be served at ${address} (${errno})`;
  const repair =
    errno === 'EADDRINUSE'
      ? 'another program has this port. See which with ss -ltnp, or set metrics.listen to another port'
      : 'set metrics.listen to an address that this host has, with a port that it may use';
  return `${what}: ${repair}. It is tried again at the next pass.`;
}

async function answerScrape(
  request: IncomingMessage,
  response: ServerResponse,
  served: ServedText,
): Promise<void> {
  const plain = { 'content-type': 'text/plain; charset=utf-8', connection: 'close' };
  const asked = URL.parse(request.url ?? '', 'http://slipway')?.pathname;
  if (asked !== path) {
    response.writeHead(404, plain).end(`There is only ${path} here.\n`);
  } else if (request.method !== 'GET') {
    response.writeHead(405, { ...plain, allow: 'GET' }).end(`${path} answers GET alone.\n`);
  } else {
    const text = await served.text();
    response.writeHead(200, { 'content-type': served.contentType }).end(text);
  }
}
