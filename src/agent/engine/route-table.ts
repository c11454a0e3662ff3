/**
 * Returns the interface of the IPv4 default route with the lowest metric, given the content of /proc/net/route;
 * `undefined` if there is no default route. Ignores routes that are down or that reject packets.
 *
 * The columns of the table (proc(5)): interface, destination, gateway, flags, two counters, metric, mask. Addresses are
 * hexadecimal.
 */
export function defaultInterface(table: string): string | undefined {
  const routes = table
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t').map((word) => word.trim()))
    .filter(([, destination, , flags, , , , mask]) => isDefault(destination, mask) && isUp(flags))
    .map(([name = '', , , , , , metric]) => ({ name, metric: Number(metric) }));
  return routes.toSorted((a, b) => a.metric - b.metric)[0]?.name;
}

function isDefault(destination: string | undefined, mask: string | undefined): boolean {
  return destination === '00000000' && mask === '00000000';
}

/** True if the route's hexadecimal flags contain RTF_UP and not RTF_REJECT (include/uapi/linux/route.h). */
function isUp(flags = '0'): boolean {
  const value = Number.parseInt(flags, 16);
  return (value & 0x0001) !== 0 && (value & 0x0200) === 0;
}
