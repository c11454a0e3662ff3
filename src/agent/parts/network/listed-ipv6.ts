/**
 * Returns an IPv6 address, given without brackets, as nft lists it; `undefined` if the string is not an IPv6 address.
 *
 * An address that maps an IPv4 address becomes the IPv4 address, because packets to it are IPv4 packets. Unlike `URL`,
 * nft lists the last 32 bits in dotted form after 96 zero bits (RFC 5952, section 5; inet_ntop of glibc).
 */
export function listedIPv6(address: string): string | undefined {
  const url = `http://[${address}]`;
  if (!URL.canParse(url)) {
    return undefined;
  }
  const listed = new URL(url).hostname.slice(1, -1);
  const [, prefix = '', high, low] = /^::(ffff:)?([0-9a-f]+):([0-9a-f]+)$/.exec(listed) ?? [];
  if (high === undefined || low === undefined) {
    return listed;
  }
  const dotted = [...bytesOf(high), ...bytesOf(low)].join('.');
  return prefix === '' ? `::${dotted}` : dotted;
}

function bytesOf(group: string): readonly number[] {
  const value = Number.parseInt(group, 16);
  return [value >> 8, value & 0xff];
}
