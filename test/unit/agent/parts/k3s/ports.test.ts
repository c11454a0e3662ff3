import { expect, test } from 'vitest';
import { examine } from '../../../../../src/agent/doctor/probe.ts';
import { portProbes } from '../../../../../src/agent/parts/k3s/ports.ts';
import { type CommandAnswer, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

async function lookedAt(kind: 'server' | 'agent', answer: CommandAnswer, config: object = {}) {
  const host = memoryHost().on({ file: 'ss' }, answer);
  return {
    host,
    found: await examine(
      portProbes(host, aNode(kind, { settings: { k3s: { config } } }), { firewall: 'the moat' }),
      {
        now: () => host.now(),
      },
    ),
  };
}

test('portProbes checks three ports of a server and two of an agent, each by its protocol', async () => {
  const { host, found } = await lookedAt('server', '');
  expect(found.map(({ what }) => what)).toEqual(['port 6443/tcp', 'port 10250/tcp', 'port 8472/udp']);
  expect(host.looks).toContain('ss -H -l -n -p -t sport = :6443');
  expect(host.looks).toContain('ss -H -l -n -p -u sport = :8472');
  expect((await lookedAt('agent', '')).found.map(({ what }) => what)).toEqual([
    'port 10250/tcp',
    'port 8472/udp',
  ]);
});

test.each([
  ['free', '', 'ok', /no process holds it/],
  [
    'held by K3s',
    'LISTEN 0 4096 *:6443 *:* users:(("k3s-server",pid=812,fd=14))\n',
    'ok',
    /listens at \*:6443; the moat must let every node, and/,
  ],
  [
    'held by another program',
    'LISTEN 0 511 0.0.0.0:6443 0.0.0.0:* users:(("nginx",pid=77,fd=6),("nginx",pid=78,fd=6))\n',
    'failure',
    /nginx \(pid 77\)/,
  ],
  ['held by a process that only root can see', 'LISTEN 0 511 0.0.0.0:6443 0.0.0.0:*\n', 'skipped', /root/],
  ['unknown because ss is missing', { exitCode: 127 }, 'skipped', /iproute2/],
] as const)('the probe of the API port reports $2 if the port is $0', async (_, answer, level, message) => {
  const [first] = (await lookedAt('server', answer)).found;
  expect(first?.level).toBe(level);
  expect(first?.message).toMatch(message);
  if (level === 'failure') {
    expect(first?.repair).toContain('systemctl status 77');
  }
});

test('portProbes checks the port of WireGuard on an agent with an external address', async () => {
  const node = aNode('agent', { externalAddress: '203.0.113.7' });
  const host = memoryHost().on({ file: 'ss' }, '');
  const probes = portProbes(host, node, { firewall: 'the moat' });
  expect(probes.map(({ what }) => what)).toEqual(['port 10250/tcp', 'port 51820/udp']);
});

test('portProbes checks the API port in the settings, and the WireGuard port instead of the VXLAN port', async () => {
  const moved = { 'https-listen-port': 7443, 'flannel-backend': 'wireguard-native' };
  const { found } = await lookedAt('server', '', moved);
  expect(found.map(({ what }) => what)).toEqual(['port 7443/tcp', 'port 10250/tcp', 'port 51820/udp']);
});

test('the probe of the flannel port accepts a UDP socket of the kernel, which has no process', async () => {
  const { found } = await lookedAt('agent', 'UNCONN 0 0 0.0.0.0:8472 0.0.0.0:*\n');
  expect(found.at(-1)).toMatchObject({ level: 'ok', message: expect.stringContaining('0.0.0.0:8472') });
});

test('portProbes checks the ports of etcd and of the embedded registry if the settings enable them', async () => {
  const config = { 'cluster-init': true, 'embedded-registry': true, 'flannel-backend': 'host-gw' };
  const { found } = await lookedAt('server', '', config);
  expect(found.map(({ what }) => what)).toEqual(
    [6443, 10250, 2379, 2380, 5001].map((number) => `port ${number}/tcp`),
  );
});

test('portProbes checks the port of WireGuard over IPv6 on a node with an IPv6 address', () => {
  const host = memoryHost();
  const settings = { k3s: { config: { 'flannel-backend': 'wireguard-native' } } };
  const server = aNode('server', { address: 'fd00:1::4', settings });
  const agent = aNode('agent', { address: 'fd00:1::5', externalAddress: '2001:db8::5' });
  for (const node of [server, agent]) {
    const probes = portProbes(host, node, { firewall: 'the moat' });
    expect(probes.map(({ what }) => what).at(-1)).toBe('port 51821/udp');
  }
});
