import { expect, test } from 'vitest';
import { nodePaths } from '../../../../src/agent/paths.ts';
import { load } from '../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../lab/memory-host.ts';
import { problemsOf } from './invalid.ts';

const own = '/etc/slipway/config.yaml';

function settings(nat: string) {
  return load(memoryHost({ files: { [own]: `network: { nat: ${nat} }` } }), { paths: nodePaths('/') });
}

test('network.nat has no private hosts by default', async () => {
  expect((await settings('{}')).settings.network.nat).toEqual({ from: [], except: [] });
});

test.each([
  '{ from: [10.0.2.0/24, 172.31.0.0/16, 192.168.0.0/16, 100.64.0.0/10] }',
  '{ from: [10.0.0.0/8], except: [10.0.0.0/16, 198.51.100.7], interface: enp0s6 }',
])('network.nat %s is valid', async (nat) => {
  expect(await problemsOf(() => settings(nat))).toEqual([]);
});

const within = 'must lie within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10';

test.each([
  ['{ from: [0.0.0.0/0] }', `network.nat.from[0]: ${within}`],
  ['{ from: [10.0.0.0/7] }', `network.nat.from[0]: ${within}`],
  ['{ from: [172.32.0.0/16] }', `network.nat.from[0]: ${within}`],
  ['{ from: [192.168.0.0/15] }', `network.nat.from[0]: ${within}`],
  ['{ from: [100.128.0.0/16] }', `network.nat.from[0]: ${within}`],
  ['{ from: [198.51.100.0/24] }', `network.nat.from[0]: ${within}`],
  ['{ from: ["fd00::/8"] }', 'network.nat.from[0]: must be a range of private IPv4 addresses'],
  ['{ from: [10.0.2.4] }', 'network.nat.from[0]: must be a range of private IPv4 addresses'],
  ['{ from: 10.0.2.0/24 }', 'network.nat.from: must be a list'],
  ['{ from: [10.0.2.0/24], interface: "ens3; x" }', 'network.nat.interface: must be the name of a network'],
  ['{ from: [10.0.2.0/24], except: [all] }', 'network.nat.except[0]: must be an IPv4 address or a range'],
])('network.nat %s is invalid', async (nat, beginning) => {
  const found = await problemsOf(() => settings(nat));
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(`${own}: ${beginning}`);
});

const spent = 'is given for a range that network.nat.from still names; take this entry out';

test.each([
  ['{ nat: { from: [10.0.2.0/24] } }', '[10.0.3.0/24, 10.0.2.0/24]', [`consent.natRemoval[1]: ${spent}`]],
  ['{ nat: { from: [10.0.2.9/24] } }', '[10.0.2.0/24]', [`consent.natRemoval[0]: ${spent}`]],
  ['{ nat: { from: [10.0.2.0/24] } }', '[all]', [`consent.natRemoval[0]: ${spent}`]],
  ['{ nat: { from: [10.0.0.0/16] } }', '[10.0.2.0/24]', []],
  ['{ nat: { from: [] } }', '[10.0.2.0/24, all]', []],
  ['{}', '[10.0.2.0/24, all]', []],
])('network %s with consent.natRemoval: %s has the problems %j', async (network, natRemoval, expected) => {
  const content = `network: ${network}\nconsent: { natRemoval: ${natRemoval} }`;
  const host = memoryHost({ files: { [own]: content } });
  const found = await problemsOf(() => load(host, { paths: nodePaths('/') }));
  expect(found).toEqual(expected.map((problem) => expect.stringContaining(`${own}: ${problem}`)));
});
