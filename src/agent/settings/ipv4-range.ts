/** Returns an IPv4 range or address as nft lists it: with the first address of the range, and without `/32`. */
export function listedRange(range: string): string {
  const [address = '', length = '32'] = range.split('/');
  const bits = Number(length);
  const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  const number = address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0);
  const first = (number & mask) >>> 0;
  const octets = [24, 16, 8, 0].map((shift) => (first >>> shift) & 255).join('.');
  return bits === 32 ? octets : `${octets}/${bits}`;
}

/** True if the IPv4 range `outer` contains every address of `inner`. */
export function containsRange(outer: string, inner: string): boolean {
  const bits = lengthOf(outer);
  const [first = ''] = inner.split('/');
  return bits <= lengthOf(inner) && listedRange(`${first}/${bits}`) === listedRange(outer);
}

function lengthOf(range: string): number {
  return Number(range.split('/')[1] ?? 32);
}
