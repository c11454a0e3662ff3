import { expect, test } from 'vitest';
import { portProbes } from '../../../../src/agent/doctor/ports.ts';
import { examine } from '../../../../src/agent/doctor/probe.ts';
import { type CommandAnswer, memoryHost } from '../../../lab/memory-host.ts';

async function lookedAt(kind: 'server' | 'agent', answer: CommandAnswer) {
  const host = memoryHost().on({ file: 'ss' }, answer);
  return { host, found: await examine(portProbes(host, kind), { now: () => host.now() }) };
}

test('a server has three ports, an agent two, and each is asked for by its protocol', async () => {
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
  ['free', '', 'ok', /nobody holds it/],
  ['K3s', 'LISTEN 0 4096 *:6443 *:* users:(("k3s-server",pid=812,fd=14))\n', 'ok', /listens at \*:6443/],
  ['the kernel', 'UNCONN 0 0 0.0.0.0:8472 0.0.0.0:*\n', 'ok', /listens at 0\.0\.0\.0:8472/],
  [
    'another',
    'LISTEN 0 511 0.0.0.0:6443 0.0.0.0:* users:(("nginx",pid=77,fd=6),("nginx",pid=78,fd=6))\n',
    'failure',
    /nginx \(pid 77\)/,
  ],
  ['unknown', { exitCode: 127 }, 'skipped', /iproute2/],
] as const)('%s', async (_, answer, level, message) => {
  const [first] = (await lookedAt('server', answer)).found;
  expect(first?.level).toBe(level);
  expect(first?.message).toMatch(message);
  if (level === 'failure') expect(first?.repair).toContain('systemctl status 77');
});
