/** Emulates names on the internet: each has its own address, and a line for /etc/hosts in place of DNS. */
import { type Relay, relay } from './front-door.ts';

/** The address range of the scenarios' internet, which RFC 5737 reserves for documentation. */
const range = '203.0.113';
const firstAddress = 100;

export interface Names {
  /** The lines for /etc/hosts that map the names to their addresses. */
  readonly hosts: string;
  stop(): Promise<void>;
}

/**
 * Gives this process an address for each destination, such as `github.com:443`. Forwards connections to port 443 of the
 * address to the destination's loopback port in `routes`.
 */
export async function openNames(
  routes: ReadonlyMap<string, number | undefined>,
  network: { addAddress(address: string): void },
): Promise<Names> {
  const names = [...routes.keys()].map((destination, at) => {
    return { destination, name: destination.replace(/:443$/, ''), address: `${range}.${firstAddress + at}` };
  });
  const relays: Relay[] = [];
  for (const { destination, address } of names) {
    network.addAddress(address);
    relays.push(await relay(address, 443, () => routes.get(destination)));
  }
  return {
    hosts: names.map(({ address, name }) => `${address} ${name}\n`).join(''),
    stop: async () => void (await Promise.all(relays.map((each) => each.stop()))),
  };
}
