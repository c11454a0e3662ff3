/**
 * The addresses of the emulated Azure and of the release mirror. Each host name has its own address, which answers at
 * port 443; the metadata service and the wire server have their real addresses. The metadata service recognizes each VM
 * by its address.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Azure } from '../lab/azure/index.ts';
import { metadataService, type Network, type NetworkHost, wireServer } from './network.ts';
import { startWireServer } from './wire-server.ts';

export interface FrontDoor {
  /** The lines for /etc/hosts, in place of DNS. */
  readonly names: string;
  /**
   * Opens or closes the route to a name or, for `imds HOST`, the route from a host to the metadata service. Cuts the
   * current connections on the route in either case. New connections on a closed route hang, as behind a firewall.
   */
  open(name: string, isOpen: boolean): void;
  stop(): Promise<void>;
}

export interface FrontDoorOptions {
  readonly azure: Azure;
  readonly network: Network;
  readonly hosts: readonly NetworkHost[];
}

const firstAddress = 100;

export async function openFrontDoor({ azure, network, hosts }: FrontDoorOptions): Promise<FrontDoor> {
  const closed = new Set<string>();
  const relays = new Map<string, Relay>();
  const wire = await startWireServer(wireServer);
  const names = [...azure.routes.keys()]
    .map((destination) => destination.replace(/:443$/, ''))
    .map((host, index) => ({ host, address: `10.0.1.${firstAddress + index}` }));
  for (const { host, address } of names) {
    network.addAddress(address);
    const port = () => (closed.has(host) ? undefined : azure.routes.get(`${host}:443`));
    relays.set(host, await relay(address, 443, port));
  }
  const metadata = (caller: string) => {
    const vm = hosts.find(({ address }) => address === caller);
    return vm && !closed.has(`imds ${vm.name}`) ? Number(new URL(azure.imdsUrl(vm.name)).port) : undefined;
  };
  relays.set('imds', await relay(metadataService, 80, metadata));
  return {
    names: names.map(({ host, address }) => `${address} ${host}\n`).join(''),
    open: (name, isOpen) => {
      if (isOpen) {
        closed.delete(name);
      } else {
        closed.add(name);
      }
      const [relayed = name, of] = name.split(' ');
      relays.get(relayed)?.cut(hosts.find((host) => host.name === of)?.address);
    },
    stop: async () => void (await Promise.all([...relays.values(), wire].map((each) => each.stop()))),
  };
}

export interface Relay {
  /** Ends all current connections, or only those of one caller. */
  cut(caller?: string): void;
  stop(): Promise<void>;
}

/**
 * Forwards each connection to the loopback port that `target` returns for the caller's address. If `target` returns
 * `undefined`, the connection stays open without an answer.
 */
export async function relay(
  address: string,
  port: number,
  target: (caller: string) => number | undefined,
): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client.on('error', () => client.destroy()).on('close', () => sockets.delete(client)));
    const to = target(callerOf(client));
    if (to === undefined) {
      return;
    }
    const upstream = connect(to, '127.0.0.1');
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => upstream.destroy());
    client.pipe(upstream).pipe(client);
  });
  await listening(server, address, port);
  const cut = (caller?: string) => {
    for (const socket of sockets) {
      if (caller === undefined || callerOf(socket) === caller) {
        socket.destroy();
      }
    }
  };
  return {
    cut,
    stop: async () => {
      const done = new Promise((resolve) => server.close(resolve));
      cut();
      await done;
    },
  };
}

function callerOf({ remoteAddress = '' }: Socket): string {
  return remoteAddress.replace('::ffff:', '');
}

function listening(server: Server, address: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen(port, address, resolve);
  });
}
