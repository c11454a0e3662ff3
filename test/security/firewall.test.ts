/**
 * Tests that the doctor reads the real rules of iptables and nftables in a network namespace. Also tests that both the
 * commands that the doctor prints and the removal of the image's rules open the firewall.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Command } from '../../src/agent/engine/host.ts';
import { lookAtRules } from '../../src/agent/parts/k3s/firewall-look.ts';
import { imageRules } from '../../src/agent/parts/k3s/image-rules.ts';
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

/** The same rules for IPv6. */
const imageForIPv6 = image.map((rule) =>
  rule.replace('-p icmp', '-p ipv6-icmp').replace('icmp-host-prohibited', 'icmp6-adm-prohibited'),
);

/** The rules of a pod with a hostPort: packets that arrive at port 443 of the node go to port 8443 of the pod. */
const hostPort = [
  'add table inet hostports',
  'add chain inet hostports arriving { type nat hook prerouting priority dstnat; }',
  'add rule inet hostports arriving tcp dport 443 fib daddr type local dnat ip to 10.42.0.7:8443',
  'add rule inet hostports arriving tcp dport 443 fib daddr type local dnat ip6 to [fd00:42::7]:8443',
];

/** Rules like those in Debian's nftables example for a workstation. */
const workstation = `add table inet filter
add chain inet filter input { type filter hook input priority 0; policy drop; }
add rule inet filter input ct state established,related accept
add rule inet filter input iif lo accept
add rule inet filter input meta l4proto ipv6-icmp accept
add rule inet filter input tcp dport { 22, 80 } accept
add chain inet filter forward { type filter hook forward priority 0; policy drop; }`;

function saves(program: string): readonly string[] {
  return [`${program}-save`, `${program}-legacy-save`];
}

/** The iptables program, the rules, a node, its address and the range of all nodes, for each address family. */
const families = [
  {
    ...{ iptables: 'iptables', saved: '/etc/iptables/rules.v4', rules: image, node: aNode('agent') },
    ...{ address: '10.0.0.5', range: '10.0.0.0/24', tables: ['inet filter', 'ip filter'] },
  },
  {
    ...{ iptables: 'ip6tables', saved: '/etc/iptables/rules.v6', rules: imageForIPv6 },
    node: aNode('agent', { address: 'fd00:1::5' }),
    ...{ address: 'fd00:1::5', range: 'fd00:1::/64', tables: ['inet filter', 'ip6 filter'] },
  },
] as const;

describe.skipIf(missing)(`the firewall of a host${missing}`, () => {
  let folder: string;
  const [peer, host, pod] = [new Network(), new Network(), new Network()];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-firewall-'));
    await Promise.all([peer, host, pod].map((network) => network.make()));
    host.ip(`
      link set lo up
      link add eth0 type veth peer name eth0 netns ${peer.pid}
      addr add 10.0.0.5/24 dev eth0
      addr add fd00:1::5/64 dev eth0 nodad
      link set eth0 up
      link add cni0 type veth peer name eth0 netns ${pod.pid}
      addr add 10.42.0.1/24 dev cni0
      addr add fd00:42::1/64 dev cni0 nodad
      link set cni0 up`);
    peer.ip(`
      addr add 10.0.0.4/24 dev eth0
      addr add fd00:1::4/64 dev eth0 nodad
      link set eth0 up`);
    pod.ip(`
      addr add 10.42.0.7/24 dev eth0
      addr add fd00:42::7/64 dev eth0 nodad
      link set eth0 up
      route add default via 10.42.0.1
      route add default via fd00:42::1`);
    for (const setting of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) {
      host.run('sh', '-c', `echo 1 >/proc/sys/net/${setting}`);
    }
    for (const { address } of families) {
      await host.serve(address, 10250, 'kubelet');
    }
    for (const address of ['10.42.0.7', 'fd00:42::7']) {
      await pod.serve(address, 8443, 'the pod');
    }
  });

  afterAll(async () => {
    await Promise.all([peer, host, pod].map((network) => network.end()));
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    host.run('nft', 'flush', 'ruleset');
    for (const line of hostPort) {
      host.run('nft', line);
    }
  });

  describe.each(families)('with an address such as $address', ({ iptables, rules, node, ...at }) => {
    const { address, range, saved, tables } = at;
    const kubelet = () => peer.ask(address, { port: 10250 });
    const ingress = () => peer.ask(address, { port: 443 });

    function look() {
      const inside = ({ file, args }: Command) => host.run(file, ...args);
      const machine = memoryHost();
      for (const file of [...['iptables', 'ip6tables'].flatMap(saves), 'nft']) {
        machine.on({ file }, inside);
      }
      return lookAtRules(machine, node);
    }

    async function repair(): Promise<void> {
      const commands = ((await look()).repair ?? '')
        .replaceAll('RANGE-OF-THE-NODES', range)
        .split('; ')
        .filter((each) => /^(ip6?tables|nft) /.test(each));
      expect(commands.length).toBeGreaterThan(3);
      for (const [file = '', ...args] of commands.map((command) => command.split(' '))) {
        host.run(file, ...args);
      }
    }

    test('is reported as ok without rules', async () => {
      expect(await look()).toMatchObject({ level: 'ok' });
      expect([kubelet(), ingress()]).toEqual(['kubelet', 'the pod']);
    });

    test("is opened by the doctor's commands if it has the rules of Oracle's image", async () => {
      for (const rule of rules) {
        host.run(iptables, ...rule.split(' '));
      }
      expect([kubelet(), ingress()].join()).not.toMatch(/kubelet|the pod/);
      await repair();
      expect(await look()).toMatchObject({ level: 'ok' });
      expect([kubelet(), ingress()]).toEqual(['kubelet', 'the pod']);
    });

    test("is opened by the removal, with consent, of the image's rules that reject, and keeps all other rules", async () => {
      for (const rule of rules) {
        host.run(iptables, ...rule.split(' '));
      }
      const rejecting = rules.filter((rule) => rule.includes('REJECT'));
      const machine = memoryHost({ files: { [saved]: host.run(`${iptables}-save`, '-t', 'filter') } });
      machine.on({ file: 'systemd-run' }, ({ args }) => {
        const [program = '', ...rest] = args.slice(args.findIndex((each) => each.startsWith('/usr/sbin/')));
        return host.run(program, ...rest);
      });
      const consented = rejecting.map((rule) => rule.replace('-A ', ''));
      const settings = { ...node.settings, consent: { ...node.settings.consent, imageRules: consented } };
      const [resource] = imageRules({ ...node, settings });
      expect([kubelet(), ingress()].join()).not.toMatch(/kubelet|the pod/);
      for (let finding = await resource?.check(machine); finding?.state === 'Drifted'; ) {
        await finding.drift.remedy(machine);
        finding = await resource?.check(machine);
      }
      expect([kubelet(), ingress()]).toEqual(['kubelet', 'the pod']);
      const left = host.run(iptables, '-S').split('\n');
      expect(left.filter((line) => line.startsWith('-A'))).toHaveLength(rules.length - rejecting.length);
      host.run('nft', 'flush', 'ruleset');
      const path = join(folder, 'rules');
      writeFileSync(path, machine.files.text(saved) ?? '');
      host.run(`${iptables}-restore`, path);
      expect(host.run(iptables, '-S').split('\n')).toEqual(left);
    });

    test.each(tables)(
      "is opened by the doctor's commands if the table %s of nftables drops packets",
      async (table) => {
        for (const line of workstation.replaceAll('inet filter', table).split('\n')) {
          host.run('nft', line);
        }
        expect(kubelet()).toContain('neither answered');
        expect(ingress()).toContain('neither answered');
        await repair();
        expect(await look()).toMatchObject({ level: 'ok' });
        expect([kubelet(), ingress()]).toEqual(['kubelet', 'the pod']);
      },
    );
  });
});
