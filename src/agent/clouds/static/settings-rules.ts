import { isIPv6 } from 'node:net';
import { isMap, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';

/**
 * Returns a problem for each entry of static.metadata that overlaps an earlier entry, or whose IPv6 address stands for
 * an IPv4 address. nft prints the rules for such entries in a form that differs from Slipway's, so the guard would
 * never be in sync.
 */
export function metadataMisfits({ metadata }: Written): readonly Problem[] {
  const entries = Array.isArray(metadata) ? metadata.map(guarded) : [];
  return entries.flatMap((entry, at) => {
    if (isFormOfIPv4(entry.address)) {
      const message = 'is an IPv4 address in the form of IPv6; write the IPv4 address';
      return [{ path: ['metadata', at, 'address'], message }];
    }
    const message = overlap(entries, at);
    return message === undefined ? [] : [{ path: ['metadata', at], message }];
  });
}

/** The address, port and protocol that one entry guards; without a port, the entry guards all ports of the address. */
interface Guarded {
  readonly address: unknown;
  readonly port: unknown;
  readonly protocol: unknown;
}

function guarded(entry: unknown): Guarded {
  const { address, port, protocol = 'tcp' } = isMap(entry) ? entry : {};
  return { address: shortened(address), port, protocol };
}

/** Returns an IPv6 address in lower case and in its shortest form, and any other value unchanged. */
function shortened(address: unknown): unknown {
  const url = `http://[${address}]`;
  return typeof address === 'string' && isIPv6(address) && URL.canParse(url)
    ? new URL(url).hostname.slice(1, -1)
    : address;
}

/** True for an IPv6 address that inet_ntop, and so nft, prints with an IPv4 address at its end. */
function isFormOfIPv4(address: unknown): boolean {
  return typeof address === 'string' && /^::(?:ffff:)?[0-9a-f]{1,4}:[0-9a-f]{1,4}$/.test(address);
}

function overlap(entries: readonly Guarded[], at: number): string | undefined {
  const { address, port, protocol } = entries[at] ?? {};
  const earlier = entries.slice(0, at).findIndex((entry) => {
    const isSamePort = entry.port === port && entry.protocol === protocol;
    return entry.address === address && (isSamePort || entry.port === undefined || port === undefined);
  });
  if (address === undefined || earlier === -1) {
    return undefined;
  }
  const first = `static.metadata[${earlier}]`;
  if (port === entries[earlier]?.port) {
    return `guards the same as ${first}; leave it out`;
  }
  return port === undefined
    ? `guards all ports, while ${first} guards one port of the address; leave one of the two out`
    : `guards a port, while ${first} guards all ports of the address; leave one of the two out`;
}
