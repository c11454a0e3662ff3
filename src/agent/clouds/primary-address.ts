import { isIPv4 } from 'node:net';
import type { HostReader } from '../engine/host.ts';

/**
 * Returns the primary IPv4 address among the private addresses that a metadata service lists. With several IPv4
 * addresses, returns the source address of the route to `service` or, if the list does not contain it, the first
 * address. Returns `undefined` without an IPv4 address.
 *
 * No cloud documents an order of interfaces, and none marks one as primary. But a metadata service answers only
 * requests from the primary address, so the route to its address, `service`, starts there.
 */
export async function primaryAddress(
  host: HostReader,
  listed: readonly unknown[],
  service: string,
): Promise<string | undefined> {
  const addresses = listed.filter((each) => typeof each === 'string').filter((each) => isIPv4(each));
  const [first] = addresses;
  if (addresses.length < 2) {
    return first;
  }
  const route = await host.query({ file: 'ip', args: ['-4', 'route', 'get', service] });
  const source = /\bsrc (\S+)/.exec(route.stdout)?.[1];
  return addresses.find((address) => address === source) ?? first;
}
