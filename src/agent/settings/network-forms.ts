import * as z from 'zod/mini';
import { text } from './forms.ts';

/** The form of a private IPv4 range: a range of RFC 1918, or of the shared address space in RFC 6598. */
export const privateRange = z.cidrv4('must be a range of private IPv4 addresses such as 10.0.2.0/24').check(
  z.refine(isPrivate, {
    error: 'must lie within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10',
  }),
);

function isPrivate(range: string): boolean {
  const [address = '', bits] = range.split('/');
  const [first = 0, second = 0] = address.split('.').map(Number);
  return (
    (first === 10 && Number(bits) >= 8) ||
    (first === 172 && second >= 16 && second < 32 && Number(bits) >= 12) ||
    (first === 192 && second === 168 && Number(bits) >= 16) ||
    (first === 100 && second >= 64 && second < 128 && Number(bits) >= 10)
  );
}

/**
 * The form of a network interface's name: at most 15 characters, which is the kernel's limit, and none that needs
 * quotes.
 */
export const interfaceName = text(
  /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/,
  'be the name of a network interface such as ens3, as ip link shows it',
);

export const portNumber = z
  .int('must be the number of a port, without quotes')
  .check(z.minimum(1, 'must be a port from 1 to 65535'), z.maximum(65_535, 'must be a port from 1 to 65535'));
