import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import { onTestFinished } from 'vitest';

/** Runs an HTTP server on a free port of 127.0.0.1 until the test ends; returns the port. */
export function serveHttp(answer: RequestListener): Promise<number> {
  return serveTcp(createServer(patient, answer));
}

export function serveHttps(answer: RequestListener, tls: { cert: string; key: string }): Promise<number> {
  return serveTcp(createTlsServer({ ...tls, ...patient }, answer));
}

/** Options that keep idle connections open; by default Node closes them after five seconds. */
const patient = { keepAliveTimeout: 0 };

/**
 * Runs an HTTP proxy until the test ends. The proxy records its requests, answers them, and tunnels every CONNECT to
 * the port `target` of 127.0.0.1 or, if `refuse` is set, refuses every CONNECT with this status. Returns the URL and
 * the recorded requests.
 */
export async function serveProxy(target: number, refuse?: number) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    response.end('by proxy');
  });
  server.on('connect', (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    if (refuse !== undefined) {
      return void socket.end(`HTTP/1.1 ${refuse} No\r\n\r\n`);
    }
    const onward = connect(target, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
    onTestFinished(() => void onward.destroy());
  });
  return { url: `http://127.0.0.1:${await serveTcp(server)}`, asked };
}

/** Runs a server that accepts connections and never sends a byte; returns the port. */
export function serveSilence(): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
  });
  return serveTcp(server);
}

/** Runs a server until the test ends, by default on a free port of 127.0.0.1; returns the port. */
export async function serveTcp(
  server: Server | TcpServer,
  { port, host }: { port: number; host: string } = { port: 0, host: '127.0.0.1' },
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(() => {
    if ('closeAllConnections' in server) {
      server.closeAllConnections();
    }
    server.close();
  });
  const address = server.address() satisfies AddressInfo | string | null;
  if (address === null || typeof address === 'string') {
    throw new Error('the server has no port');
  }
  return address.port;
}
