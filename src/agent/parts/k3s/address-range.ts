import { BlockList, isIP, isIPv6 } from 'node:net';

/** The version of IP. */
export type Family = 'ipv4' | 'ipv6';

/** Returns the family of an address or a range; `ipv4` for any other string. */
export function familyOf(range: string): Family {
  return isIPv6(range.split('/')[0] ?? '') ? 'ipv6' : 'ipv4';
}

/** True if the range or address `outer` contains `inner`; false if one of them is neither a range nor an address. */
export function contains(outer: string, inner: string): boolean {
  const [one, other] = [parsed(outer), parsed(inner)];
  if (!one || !other || one.family !== other.family || one.bits > other.bits) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(one.address, one.bits, one.family);
  return list.check(other.address, other.family);
}

interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: Family;
}

function parsed(range: string): Range | undefined {
  const family = familyOf(range);
  const most = family === 'ipv6' ? 128 : 32;
  const [address = '', length = String(most)] = range.split('/');
  const bits = /^\d+$/.test(length) ? Number(length) : most + 1;
  return isIP(address) !== 0 && bits <= most ? { address, bits, family } : undefined;
}
