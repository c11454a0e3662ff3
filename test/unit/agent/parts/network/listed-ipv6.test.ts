import { expect, test } from 'vitest';
import { listedIPv6 } from '../../../../../src/agent/parts/network/listed-ipv6.ts';

test.each([
  ['fd00:c1::a9fe:a9fe', 'fd00:c1::a9fe:a9fe'],
  ['FD00:C1:0:0:0:0:A9FE:A9FE', 'fd00:c1::a9fe:a9fe'],
  ['::1', '::1'],
  ['::ffff:169.254.169.254', '169.254.169.254'],
  ['::ffff:a9fe:1', '169.254.0.1'],
  ['::ffff:127.0.0.1', '127.0.0.1'],
  ['::169.254.169.254', '::169.254.169.254'],
  ['::a9fe:a9fe', '::169.254.169.254'],
  ['::ffff:1234', '::255.255.18.52'],
  ['1::ffff:a9fe:a9fe', '1::ffff:a9fe:a9fe'],
  ['::ffff:a9fe:a9fe:1', '::ffff:a9fe:a9fe:1'],
  ['metadata.example', undefined],
])('listedIPv6 returns the address %s as %s', (address, listed) => {
  expect(listedIPv6(address)).toBe(listed);
});
