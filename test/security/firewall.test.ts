/**
 * Tests that the doctor reads the real rules of iptables and nftables in a network namespace, and that the commands it
 * prints open the firewall.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../src/agent/engine/host.ts';
import { lookAtRules } from '../../src/agent/parts/k3s/firewall-look.ts';
import { Network, whatIsMissing } from '../integration/imds/network.ts';
import { memoryHost } from '../lab/memory-host.ts';
import { aNode } from '../unit/agent/a-node.ts';

const missing = whatIsMissing();

/** Rules like those in Oracle's Ubuntu images. */
const image = [
  '-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT',
  '-A INPUT -p icmp -j ACCEPT',
  '-A INPUT -i lo -j ACCEPT',
  '-A INPUT -p udp --sport 123 -j ACCEPT',
  '-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT',
  '-A INPUT -j REJECT --reject-with icmp-host-prohibited',
  '-A FORWARD -j REJECT --reject-with icmp-host-prohibited',
];

/** Rules like those in Debian's example for a workstation. */
const workstation = `add table inet filter
add chain inet filter input { type filter hook input priority 0; policy drop; }
add rule inet filter input ct state established,related accept
add rule inet filter input iif lo accept
add rule inet filter input tcp dport { 22, 80 } accept
add chain inet filter forward { type filter hook forward priority 0; policy drop; }`;

describe.skipIf(missing)(`the firewall of a host${missing}`, () => {
  const [peer, node] = [new Network(), new Network()];

  beforeAll(async () => {
    await Promise.all([peer.make(), node.make()]);
    node.ip(`
      link set lo up
      link add eth0 type veth peer name eth0 netns ${peer.pid}
      addr add 10.0.0.5/24 dev eth0
      link set eth0 up`);
    peer.ip(`
      addr add 10.0.0.4/24 dev eth0
      link set eth0 up`);
    await node.serve('10.0.0.5', 10250, 'kubelet');
  });

  afterAll(() => Promise.all([peer.end(), node.end()]));

  beforeEach(() => node.run('nft', 'flush', 'ruleset'));

  const reach = () => peer.ask('10.0.0.5', { port: 10250 });

  function look() {
    const inside = ({ file, args }: Command) => node.run(file, ...args);
    const host = memoryHost()
      .on({ file: 'iptables-save' }, inside)
      .on({ file: 'iptables-legacy-save' }, inside)
      .on({ file: 'nft' }, inside);
    return lookAtRules(host, aNode('agent'));
  }

  async function repair(): Promise<void> {
    const commands = ((await look()).repair ?? '')
      .replaceAll('RANGE-OF-THE-NODES', '10.0.0.0/24')
      .split('; ')
      .filter((each) => /^(iptables|nft) /.test(each));
    expect(commands.length).toBeGreaterThan(2);
    for (const [file = '', ...args] of commands.map((command) => command.split(' '))) {
      node.run(file, ...args);
    }
  }

  test('is reported as ok without rules', async () => {
    expect(await look()).toMatchObject({ level: 'ok' });
    expect(reach()).toBe('kubelet');
  });

  test("is opened by the doctor's commands if it has the rules of Oracle's image", async () => {
    for (const rule of image) {
      node.run('iptables', ...rule.split(' '));
    }
    expect(reach()).toContain('No route to host');
    await repair();
    expect(await look()).toMatchObject({ level: 'ok' });
    expect(reach()).toBe('kubelet');
  });

  test.each([['inet filter'], ['ip filter']])(
    "is opened by the doctor's commands if the table %s of nftables drops packets",
    async (table) => {
      for (const line of workstation.replaceAll('inet filter', table).split('\n')) {
        node.run('nft', line);
      }
      expect(reach()).toContain('neither answered');
      await repair();
      expect(await look()).toMatchObject({ level: 'ok' });
      expect(reach()).toBe('kubelet');
    },
  );
});
