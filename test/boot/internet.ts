/** The names of the internet, each with an address of its own in place of DNS. */
import { type Relay, relay } from './front-door.ts';

/** The range of the internet in scenarios, one of those for documentation (RFC 5737). */
const range = '203.0.113';
const firstAddress = 100;

export interface Names {
  /** Lines of /etc/hosts. */
  readonly hosts: string;
  stop(): Promise<void>;
}

/**
 * Gives each destination, such as `github.com:443`, an address of this process, and forwards its connections to the
 * loopback port in `routes`.
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
