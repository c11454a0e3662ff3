/** A TCP load balancer on loopback, such as stands in front of several K3s servers. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** An address and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface Balancer {
  stop(): Promise<void>;
}

/** The time after which a backend that does not answer counts as lost, in milliseconds. */
const patience = 1_000;

/** Listens at an endpoint, and passes each connection to the first backend that accepts it, in turn. */
export async function startBalancer(at: Endpoint, backends: readonly Endpoint[]): Promise<Balancer> {
  let turn = 0;
  const open = new Set<Socket>();
  const server = createServer(async (client) => {
    open.add(client);
    client.once('close', () => open.delete(client)).on('error', () => client.destroy());
    turn += 1;
    const order = backends.map((_, index) => backends[(index + turn) % backends.length]);
    const backend = await firstOf(order.filter((one) => one !== undefined));
    if (backend === undefined) {
      client.destroy();
      return;
    }
    backend.on('error', () => client.destroy()).once('close', () => client.destroy());
    client.once('close', () => backend.destroy());
    client.pipe(backend).pipe(client);
  });
  server.listen(at.port, at.host);
  await once(server, 'listening');
  return {
    async stop() {
      for (const socket of open) {
        socket.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}

async function firstOf(backends: readonly Endpoint[]): Promise<Socket | undefined> {
  for (const backend of backends) {
    const socket = await connected(backend);
    if (socket !== undefined) {
      return socket;
    }
  }
  return undefined;
}

function connected(backend: Endpoint): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(backend.port, backend.host, () => resolve(socket.setTimeout(0)));
    const giveUp = () => {
      socket.destroy();
      resolve(undefined);
    };
    socket.once('error', giveUp).setTimeout(patience, giveUp);
  });
}
