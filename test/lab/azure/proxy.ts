/**
 * A company's HTTPS proxy (RFC 9110, section 9.3.6, CONNECT), which routes real names to the lab's servers on loopback.
 *
 * The proxy answers an unknown name below a suffix of the lab with 502, as squid does for a name that does not resolve.
 * It refuses any other unknown destination with 403, so that no traffic leaves the machine.
 */
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type LoggedRequest, type Loopback, listen } from './loopback.ts';

export interface Proxy extends Loopback {
  readonly url: string;
  /** Routes `host:port` to a port on loopback; `undefined` removes the route. */
  route(destination: string, port: number | undefined): void;
  /** The current target of each `host:port`; `undefined` for a removed route. */
  readonly routes: ReadonlyMap<string, number | undefined>;
}

export interface ProxyOptions {
  readonly log: LoggedRequest[];
  /** The DNS suffixes of the lab; the proxy reports that unknown names below them do not resolve. */
  readonly suffixes: readonly string[];
}

export async function startProxy({ log, suffixes }: ProxyOptions): Promise<Proxy> {
  const routes = new Map<string, number | undefined>();
  const server = createServer((_request, response) => {
    response.writeHead(403).end('This proxy answers CONNECT only.\n');
  });
  server.on('connect', (request, client: Socket, head: Buffer) => {
    const destination = (request.url ?? '').toLowerCase();
    const port = routes.get(destination);
    const [host = ''] = destination.split(':');
    const unresolved = suffixes.some((suffix) => host.endsWith(`.${suffix}`));
    const status = port !== undefined ? 200 : unresolved ? 502 : 403;
    log.push({ server: 'proxy', method: 'CONNECT', host, path: '', query: '', status });
    if (port !== undefined) {
      tunnel(client, head, port);
    } else {
      client.end(`HTTP/1.1 ${unresolved ? '502 Bad Gateway' : '403 Forbidden'}\r\ncontent-length: 0\r\n\r\n`);
    }
  });
  const listening = await listen(server);
  return {
    ...listening,
    url: `http://127.0.0.1:${listening.port}`,
    routes,
    route: (destination, port) => routes.set(destination.toLowerCase(), port),
  };
}

function tunnel(client: Socket, head: Buffer, port: number): void {
  const upstream = connect(port, '127.0.0.1', () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
    upstream.write(head);
    client.pipe(upstream).pipe(client);
  });
  upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
  client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy());
}
