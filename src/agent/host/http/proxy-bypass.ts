import { BlockList, isIP } from 'node:net';
import { alwaysDirect } from '../process/environment.ts';

/**
 * True if a host is reached without the proxy: always for `localhost`, 127.0.0.1, ::1 and the metadata services; for
 * any other host if an entry of `noProxy` matches. An entry is a host name, a `.suffix` of names, an address, a range
 * such as `10.0.0.0/8`, or `*`.
 */
export function bypassesProxy(hostname: string, noProxy: readonly string[]): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  return [...alwaysDirect, ...noProxy].some((entry) => covers(entry.trim().toLowerCase(), host));
}

function covers(entry: string, host: string): boolean {
  if (entry === '') {
    return false;
  }
  if (entry === '*' || entry === host) {
    return true;
  }
  if (entry.startsWith('.')) {
    return host.endsWith(entry);
  }
  return entry.includes('/') && isIP(host) !== 0 && inRange(entry, host);
}

function inRange(range: string, address: string): boolean {
  const [net = '', prefix = ''] = range.split('/');
  const family = isIP(net);
  if (family === 0 || !/^\d+$/.test(prefix) || Number(prefix) > (family === 4 ? 32 : 128)) {
    return false;
  }
  const list = new BlockList();
  list.addSubnet(net, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}
