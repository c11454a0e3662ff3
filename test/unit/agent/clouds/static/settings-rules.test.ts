import { expect, test } from 'vitest';
import { nodePaths } from '../../../../../src/agent/paths.ts';
import { load } from '../../../../../src/agent/settings/load.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { problemsOf } from '../../settings/invalid.ts';

const own = '/etc/slipway/config.yaml';

function problems(metadata: string) {
  const host = memoryHost({ files: { [own]: `cloud: static\nstatic: { metadata: ${metadata} }` } });
  return problemsOf(() => load(host, { paths: nodePaths('/') }));
}

const a = '169.254.169.254';

test.each([
  `[{ address: ${a} }, { address: 169.254.169.253 }, { address: "fd00:ec2::254" }]`,
  `[{ address: ${a}, port: 80 }, { address: ${a}, port: 8080 }]`,
  `[{ address: ${a}, port: 80 }, { address: ${a}, port: 80, protocol: udp }]`,
  '[{ address: "::2:3:4" }, { address: "::1" }]',
])('static.metadata %s is valid', async (metadata) => {
  expect(await problems(metadata)).toEqual([]);
});

const both =
  'guards all ports, while static.metadata[0] guards one port of the address; leave one of the two out';
const same = 'guards the same as static.metadata[0]; leave it out';
const mapped = 'is an IPv4 address in the form of IPv6; write the IPv4 address';

test.each([
  [`[{ address: ${a} }, { address: ${a} }]`, `[1]: ${same}`],
  [`[{ address: ${a}, port: 80 }, { address: ${a}, port: 80, protocol: tcp }]`, `[1]: ${same}`],
  ['[{ address: "fd00:0::1" }, { address: "FD00::1" }]', `[1]: ${same}`],
  [`[{ address: ${a}, port: 80 }, { address: ${a} }]`, `[1]: ${both}`],
  [
    `[{ address: ${a} }, { address: ${a}, port: 80 }]`,
    '[1]: guards a port, while static.metadata[0] guards all ports of the address; leave one of the two out',
  ],
  [`[{ address: "::ffff:${a}" }]`, `[0].address: ${mapped}`],
  ['[{ address: "::FFFF:a9fe:a9fe", port: 80 }]', `[0].address: ${mapped}`],
  ['[{ address: "::a9fe:a9fe" }]', `[0].address: ${mapped}`],
])('static.metadata %s is invalid', async (metadata, problem) => {
  expect(await problems(metadata)).toEqual([expect.stringContaining(`${own}: static.metadata${problem}`)]);
});
