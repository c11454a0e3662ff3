import { describe, expect, test } from 'vitest';
import { lookAtRules } from '../../../../../src/agent/parts/k3s/firewall-look.ts';
import { type CommandAnswer, memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

/** The filter table of Oracle's Ubuntu images, from /etc/iptables/rules.v4, without the rules of InstanceServices. */
const oracle = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [463:49013]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp --sport 123 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
COMMIT
`;

const absent = { exitCode: 127 };

/** The answers of iptables-legacy-save (`legacy`), iptables-save --version (`version`) and ip6tables-save (`ipv6`). */
interface Others {
  readonly legacy?: CommandAnswer;
  readonly version?: CommandAnswer;
  readonly ipv6?: CommandAnswer;
}

function look(
  iptables: CommandAnswer,
  nft: CommandAnswer = absent,
  node = aNode('agent'),
  files = {},
  { legacy = absent, version = absent, ipv6 = absent }: Others = {},
) {
  const host = memoryHost({ files })
    .on({ file: 'iptables-save', args: ['-t', 'filter'] }, iptables)
    .on({ file: 'iptables-save', args: ['--version'] }, version)
    .on({ file: 'iptables-legacy-save', args: [] }, legacy)
    .on({ file: 'ip6tables-save', args: ['-t', 'filter'] }, ipv6)
    .on({ file: 'ip6tables-save', args: ['--version'] }, version)
    .on({ file: 'ip6tables-legacy-save', args: [] }, legacy)
    .on({ file: 'nft', args: ['list', 'ruleset'] }, nft);
  return lookAtRules(host, node);
}

describe("the rules of Oracle's images", () => {
  test('are reported on an agent, each with the commands that allow what the rule rejects', async () => {
    expect(await look(oracle, absent, aNode('agent'), { '/etc/iptables/rules.v4': oracle })).toEqual({
      level: 'warning',
      message:
        '"-A INPUT -j REJECT --reject-with icmp-host-prohibited" rejects 10250/tcp for every node; 8472/udp for every node. ' +
        '"-A FORWARD -j REJECT --reject-with icmp-host-prohibited" rejects the network of pods, 10.42.0.0/16; hostPorts and NodePorts for every node. ' +
        'A table of Slipway cannot allow what another one rejects.',
      repair:
        'iptables -I INPUT 6 -s RANGE-OF-THE-NODES -p tcp --dport 10250 -j ACCEPT; ' +
        'iptables -I INPUT 6 -s RANGE-OF-THE-NODES -p udp --dport 8472 -j ACCEPT; ' +
        'iptables -I FORWARD 1 -s 10.42.0.0/16 -j ACCEPT; ' +
        'iptables -I FORWARD 1 -d 10.42.0.0/16 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; ' +
        'iptables -I FORWARD 1 -s RANGE-OF-THE-NODES -d 10.42.0.0/16 -j ACCEPT; ' +
        "replace RANGE-OF-THE-NODES with the range of the nodes' addresses, such as 10.0.0.0/16; " +
        'add the same rules to /etc/iptables/rules.v4 above the one that rejects, and do not save while K3s runs',
    });
  });

  test('are reported on a server with the ports in its settings, and with its private hosts', async () => {
    const config = { 'https-listen-port': 7443, 'cluster-init': true, 'flannel-backend': 'wireguard-native' };
    const settings = { k3s: { config }, network: { nat: { from: ['10.0.2.0/24'], except: [] } } };
    const { repair } = await look(oracle, absent, aNode('server', { settings }));
    for (const command of [
      '-p tcp --dport 7443',
      '-p tcp --dport 10250',
      '-p udp --dport 51820',
      '-p tcp --dport 2379',
      '-p tcp --dport 2380',
      'FORWARD 1 -s 10.0.2.0/24 -j ACCEPT',
    ]) {
      expect(repair).toContain(command);
    }
  });

  test('are reported on an ingress node, with the ports of its ingress controller', async () => {
    const node = aNode('agent', { settings: { node: { labels: ['role=ingress'] } } });
    const { message, repair } = await look(oracle, absent, node);
    expect(message).toContain('80/tcp for the internet; 443/tcp for the internet');
    expect(repair).toContain('iptables -I INPUT 6 -p tcp --dport 443 -j ACCEPT');
    expect(repair).not.toMatch(/INPUT 6 -p \w+ --dport (?!80 |443 )/);
    expect(message).toContain('hostPorts and NodePorts for the internet');
    expect(repair).toContain('iptables -I FORWARD 1 -d 10.42.0.0/16 -j ACCEPT;');
  });

  test('are not reported if earlier rules accept the packets', async () => {
    const mended = oracle
      .replace(
        '-A INPUT -j REJECT',
        '-A INPUT -s 10.0.0.0/16 -p tcp --dport 10250 -j ACCEPT\n-A INPUT -p udp -m multiport --dports 8472,51820:51821 -j ACCEPT\n-A INPUT -j REJECT',
      )
      .replace('-A FORWARD -j REJECT', '-A FORWARD -s 10.0.0.0/8 -j ACCEPT\n-A FORWARD -j REJECT');
    expect(await look(mended)).toMatchObject({ level: 'ok' });
  });

  test('are not reported if earlier rules of K3s accept the packets', async () => {
    const withK3s = oracle
      .replace(':InstanceServices', ':FLANNEL-FWD - [0:0]\n:InstanceServices')
      .replace(
        '-A FORWARD -j REJECT',
        '-A FORWARD -m comment --comment "flanneld forward" -j FLANNEL-FWD\n-A FLANNEL-FWD -s 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT\n-A FLANNEL-FWD -d 10.42.0.0/16 -m comment --comment "flanneld forward" -j ACCEPT\n-A FORWARD -j REJECT',
      )
      .replace('-A INPUT -j REJECT --reject-with icmp-host-prohibited\n', '');
    expect(await look(withK3s)).toMatchObject({ level: 'ok' });
  });
});

test.each([
  ['a policy that drops packets', ':INPUT DROP [0:0]\n', '"the policy of INPUT" rejects'],
  [
    'a chain that drops packets',
    ':INPUT ACCEPT [0:0]\n:MINE - [0:0]\n-A INPUT -j MINE\n-A MINE -j DROP\n',
    '-A MINE -j DROP',
  ],
])('lookAtRules reports iptables with %s', async (_, rules, words) => {
  expect((await look(`*filter\n${rules}COMMIT\n`)).message).toContain(words);
});

test.each([
  ['a rule that rejects only one source', '-A INPUT -s 203.0.113.9 -j DROP\n'],
  ['a rule that rejects a port that K3s does not need', '-A INPUT -p tcp --dport 25 -j REJECT\n'],
  ['a rule that rejects under a condition unknown to Slipway', '-A INPUT -m recent --rcheck -j DROP\n'],
  ['a chain that returns before it rejects', '-A INPUT -j MINE\n-A MINE -j RETURN\n-A MINE -j DROP\n'],
  ['chains that jump in a circle', '-A INPUT -j MINE\n-A MINE -j MINE\n'],
  [
    'a rule that sends only one source to a chain that rejects',
    '-A INPUT -s 203.0.113.9 -j MINE\n-A MINE -j DROP\n',
  ],
  [
    'a rule that sends only one interface to a chain that rejects',
    '-A INPUT -i eth0 -j MINE\n-A MINE -j DROP\n',
  ],
  ['a rule that rejects only one interface', '-A INPUT -i eth0 -j DROP\n'],
])('lookAtRules does not report iptables with %s', async (_, rules) => {
  const text = `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:MINE - [0:0]\n${rules}COMMIT\n`;
  expect(await look(text)).toMatchObject({ level: 'ok' });
});

const dropping = (rule: string) =>
  `*filter\n:INPUT DROP [0:0]\n:FORWARD ACCEPT [0:0]\n:MINE - [0:0]\n-A INPUT ${rule}\n-A MINE -j ACCEPT\nCOMMIT\n`;

test.each([
  '-i enp7s0 -j ACCEPT',
  '! -i eth0 -j ACCEPT',
  '! -s 203.0.113.0/24 -j ACCEPT',
  '-m set --match-set nodes src -j ACCEPT',
  '-m iprange --src-range 10.0.0.4-10.0.0.9 -j ACCEPT',
  '-i enp7s0 -m comment --comment "the private -i lo" -j ACCEPT',
  '-i enp7s0 -j MINE',
])('lookAtRules finds that the iptables rule "%s" accepts packets from the nodes', async (rule) => {
  expect(await look(dropping(rule))).toMatchObject({ level: 'ok' });
});

test.each([
  '-i lo -j ACCEPT',
  '-i cni0 -j ACCEPT',
  '-s 127.0.0.0/8 -j ACCEPT',
  '-s 10.42.0.0/16 -j ACCEPT',
  '-i enp7s0 -d 10.0.0.9/32 -j ACCEPT',
  '-m set --match-set nodes dst -j ACCEPT',
])('lookAtRules finds that the iptables rule "%s" does not accept packets from the nodes', async (rule) => {
  expect((await look(dropping(rule))).message).toContain('rejects 10250/tcp for every node; 8472/udp');
});

const debian = (rules: string, policy = 'drop') => `table inet filter {
	set peers {
		type ipv4_addr
	}

	chain input {
		type filter hook input priority filter; policy ${policy};
		ct state established,related accept
		iif "lo" accept
		tcp dport 22 accept
${rules}	}

	chain forward {
		type filter hook forward priority filter; policy accept;
	}
}
`;

test('lookAtRules reports an nftables policy that drops packets, with nft commands that allow them', async () => {
  expect(await look(absent, debian(''))).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('"inet filter: the policy of input" rejects 10250/tcp for every node;'),
    repair: expect.stringMatching(
      /^nft insert rule inet filter input ip saddr RANGE-OF-THE-NODES tcp dport 10250 accept; nft insert rule inet filter input ip saddr RANGE-OF-THE-NODES udp dport 8472 accept; replace/,
    ),
  });
});

test.each([
  'iifname "enp7s0" accept',
  'iifname != "eth0" accept',
  'iif { "enp7s0", "wg0" } accept',
  'ip saddr @peers accept',
  'ip saddr != 203.0.113.0/24 accept',
  'ip saddr 10.0.0.4-10.0.0.9 accept',
  'meta l4proto { tcp, udp } th dport { 8472, 10250 } accept',
])('lookAtRules finds that the nftables rule "%s" accepts packets from the nodes', async (rule) => {
  expect(await look(absent, debian(`\t\t${rule}\n`))).toMatchObject({ level: 'ok' });
});

test.each([
  'iifname "cni0" accept',
  'iif "lo" accept',
  'ip saddr { 127.0.0.0/8, 10.42.0.0/16 } accept',
  'iifname "enp7s0" ip daddr 10.0.0.9 accept',
  'meta l4proto { icmp, sctp } accept',
])('lookAtRules finds that the nftables rule "%s" does not accept packets from the nodes', async (rule) => {
  const { message } = await look(absent, debian(`\t\t${rule}\n`));
  expect(message).toContain('rejects 10250/tcp for every node; 8472/udp');
});

test.each([
  [
    'that accepts the ports',
    debian(
      '\t\ttcp dport { 6443, 10250 } accept\n\t\tudp dport 8000-9000 counter packets 1 bytes 2 accept\n',
    ),
  ],
  ['that accepts the range of the nodes', debian('\t\tip saddr { 10.0.0.0/16, 10.42.0.0/16 } accept\n')],
  ['that rejects nothing', debian('', 'accept')],
  [
    'that contains only a table of Slipway',
    'table inet slipway_imds {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t\treject\n\t}\n}\n',
  ],
])('lookAtRules does not report an nftables ruleset %s', async (_, ruleset) => {
  expect(await look(absent, ruleset)).toMatchObject({ level: 'ok' });
});

/** An nftables table with the name that iptables uses for its own filter table. */
const filter = `table ip filter {
	chain INPUT {
		type filter hook input priority filter; policy drop;
		ip saddr 10.0.0.0/16 tcp dport 22 accept
	}
}
`;
const empty = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\nCOMMIT\n';
const marked = `# Generated by iptables-save v1.8.9 (nf_tables) on Mon Nov 30 02:21:18 2026\n${empty}`;
const version = (variant: string) => ({ version: `iptables-save v1.8.7 (${variant})\n` });

test.each([
  ['iptables-save is not installed', absent, {}],
  [
    'iptables-save cannot list it',
    `# Table \`filter' contains incompatible base-chains, use 'nft' tool\n${marked}`,
    {},
  ],
  ['iptables-save lists no table of this name', '', {}],
  ['iptables-save lists the legacy rules', empty, version('legacy')],
])('lookAtRules judges the nftables table "ip filter" if %s', async (_, iptables, others) => {
  expect(await look(iptables, filter, aNode('agent'), {}, others)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('"ip filter: the policy of INPUT" rejects 10250/tcp'),
  });
});

test.each([
  ['names nf_tables', marked, {}],
  ['does not name nf_tables, but --version does', empty, version('nf_tables')],
])(
  'lookAtRules does not judge an iptables table again as an nftables table if the output of iptables-save %s',
  async (_, iptables, others) => {
    expect(await look(iptables, filter, aNode('agent'), {}, others)).toMatchObject({ level: 'ok' });
  },
);

const mixed = `# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n${marked}`;

test('lookAtRules reports legacy iptables rules beside nf_tables rules, with iptables-legacy commands', async () => {
  const legacy = `*nat\n:INPUT ACCEPT [0:0]\nCOMMIT\n${oracle}*mangle\n:INPUT ACCEPT [0:0]\nCOMMIT\n`;
  expect(await look(mixed, absent, aNode('agent'), {}, { legacy })).toMatchObject({
    level: 'warning',
    message: expect.stringContaining(
      '"-A INPUT -j REJECT --reject-with icmp-host-prohibited" rejects 10250/tcp',
    ),
    repair: expect.stringMatching(
      /^iptables-legacy -I INPUT 6 -s RANGE-OF-THE-NODES -p tcp --dport 10250 -j ACCEPT;/,
    ),
  });
});

const refused = { exitCode: 4, stderr: 'Permission denied (you must be root)' };

test.each([
  ['neither iptables nor nft is installed', absent, absent, 'install nftables'],
  ['iptables and nft refuse to list their rules', refused, refused, 'sudo slipway doctor'],
  ['iptables refuses to list its rules and nft is not installed', refused, absent, 'iptables-save'],
  ['nft refuses to list its rules and iptables is not installed', absent, refused, 'nft'],
  ['nft refuses to list its rules and iptables lists no rule', marked, refused, 'nft'],
  ['legacy rules cannot be listed', mixed, absent, 'iptables-legacy-save'],
])('lookAtRules does not report ok if %s', async (_, iptables, nft, words) => {
  expect(await look(iptables, nft)).toMatchObject({
    level: 'skipped',
    message: expect.stringContaining(words),
  });
});

test('lookAtRules reports a rejection that nft lists, even if iptables-save refuses to list its rules', async () => {
  expect(await look(refused, debian(''))).toMatchObject({ level: 'warning' });
});

describe('packets that a hostPort or a NodePort directs to a pod', () => {
  const iptables = (rule: string) =>
    `*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n-A FORWARD -s 10.42.0.0/16 -j ACCEPT\n-A FORWARD ${rule}\nCOMMIT\n`;
  const nft = (rule: string) =>
    `table inet filter {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy drop;\n\t\tip saddr 10.42.0.0/16 accept\n\t\t${rule}\n\t}\n}\n`;
  const message = 'rejects hostPorts and NodePorts for every node. A table';

  test.each([
    '-d 10.42.0.0/16 -j ACCEPT',
    '-d 10.0.0.0/8 -j ACCEPT',
    '-s 10.0.0.0/16 -d 10.42.0.0/16 -j ACCEPT',
    '-o cni0 -j ACCEPT',
    '-i eth0 -o cni0 -j ACCEPT',
    '-m conntrack --ctstate RELATED,ESTABLISHED,DNAT -j ACCEPT',
    '-j ACCEPT',
  ])('are accepted by the iptables rule "%s"', async (rule) => {
    expect(await look(iptables(rule))).toMatchObject({ level: 'ok' });
  });

  test.each([
    '-d 10.42.5.0/24 -j ACCEPT',
    '-d 10.43.0.0/16 -j ACCEPT',
    '-o eth0 -j ACCEPT',
    '-p tcp --dport 80 -j ACCEPT',
    '-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
    '-d 10.42.0.0/16 -j REJECT',
  ])('are not accepted by the iptables rule "%s"', async (rule) => {
    expect((await look(iptables(rule))).message).toContain(message);
  });

  test('are rejected by a rule for packets to the pod interface', async () => {
    const rules = '*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n-A FORWARD -o cni0 -j DROP\nCOMMIT\n';
    expect(await look(rules)).toMatchObject({
      message: expect.stringContaining(`"-A FORWARD -o cni0 -j DROP" ${message}`),
      repair: expect.stringMatching(
        /^iptables -I FORWARD 1 -s RANGE-OF-THE-NODES -d 10\.42\.0\.0\/16 -j ACCEPT; replace/,
      ),
    });
  });

  test.each([
    'ip daddr 10.42.0.0/16 accept',
    'ip daddr { 10.42.0.0/16, 10.43.0.0/16 } accept',
    'oifname "cni0" accept',
    'iifname "eth0" oifname "cni0" accept',
    'ct status dnat accept',
  ])('are accepted by the nftables rule "%s"', async (rule) => {
    expect(await look(absent, nft(rule))).toMatchObject({ level: 'ok' });
  });

  test.each([
    'ip daddr 10.42.5.0/24 accept',
    'ip daddr != 10.42.0.0/16 accept',
    'ip6 daddr fd00:42::/56 accept',
    'oifname "eth0" accept',
    'meta nfproto ipv6 accept',
  ])('are not accepted by the nftables rule "%s"', async (rule) => {
    expect(await look(absent, nft(rule))).toMatchObject({
      message: expect.stringContaining(message),
      repair: expect.stringMatching(
        /^nft insert rule inet filter forward ip saddr RANGE-OF-THE-NODES ip daddr 10\.42\.0\.0\/16 accept; replace/,
      ),
    });
  });
});

describe('on a node with an IPv6 address, lookAtRules', () => {
  const node = aNode('agent', { address: 'fd00:1::5', externalAddress: '2001:db8::5' });

  test('reports the IPv6 rules that reject packets, with ip6tables commands', async () => {
    const files = { '/etc/iptables/rules.v6': oracle, '/etc/iptables/rules.v4': oracle };
    expect(await look('', absent, node, files, { ipv6: oracle })).toEqual({
      level: 'warning',
      message:
        '"-A INPUT -j REJECT --reject-with icmp-host-prohibited" rejects 10250/tcp for every node; 51821/udp for every node. ' +
        '"-A FORWARD -j REJECT --reject-with icmp-host-prohibited" rejects the network of pods, fd00:42::/56; ' +
        'hostPorts and NodePorts for every node. A table of Slipway cannot allow what another one rejects.',
      repair:
        'ip6tables -I INPUT 6 -s RANGE-OF-THE-NODES -p tcp --dport 10250 -j ACCEPT; ' +
        'ip6tables -I INPUT 6 -s RANGE-OF-THE-NODES -p udp --dport 51821 -j ACCEPT; ' +
        'ip6tables -I FORWARD 1 -s fd00:42::/56 -j ACCEPT; ' +
        'ip6tables -I FORWARD 1 -d fd00:42::/56 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; ' +
        'ip6tables -I FORWARD 1 -s RANGE-OF-THE-NODES -d fd00:42::/56 -j ACCEPT; ' +
        "replace RANGE-OF-THE-NODES with the range of the nodes' addresses, such as fd00:1::/64; " +
        'add the same rules to /etc/iptables/rules.v6 above the one that rejects, and do not save while K3s runs',
    });
  });

  test.each(['-s fd00:1::/64 -j ACCEPT', '-i enp7s0 -j ACCEPT'])(
    'does not report ip6tables if the rule "%s" accepts the peers of the node',
    async (rule) => {
      const open = oracle.replace('-A INPUT -j REJECT', `-A INPUT ${rule}\n-A INPUT -j REJECT`);
      const ipv6 = open.replace(/-A FORWARD -j REJECT.*\n/, '');
      expect(await look('', absent, node, {}, { ipv6 })).toMatchObject({ level: 'ok' });
    },
  );

  test('does not report an IPv4 rule', async () => {
    expect(await look(oracle, debian('').replace('inet', 'ip'), node, {}, { ipv6: '' })).toMatchObject({
      level: 'ok',
    });
  });

  test.each(['ip6 filter', 'inet filter'])('reports the nftables table %s', async (table) => {
    const rules = debian('\t\tip saddr 10.0.0.0/8 accept\n').replace('inet filter', table);
    expect(await look(absent, rules, node)).toMatchObject({
      message: expect.stringContaining(`"${table}: the policy of input" rejects 10250/tcp for every node;`),
      repair: expect.stringContaining(
        `nft insert rule ${table} input ip6 saddr RANGE-OF-THE-NODES udp dport 51821 accept`,
      ),
    });
  });

  test.each([
    'ip6 saddr fd00:1::/64 accept',
    'ip6 saddr { fd00:1::4, fd00:2::/64 } accept',
    'ip6 saddr @peers6 accept',
    'meta nfproto ipv6 accept',
    'ip6 nexthdr { tcp, udp } accept',
  ])('finds that the nftables rule "%s" accepts packets from the nodes', async (rule) => {
    expect(await look(absent, debian(`\t\t${rule}\n`), node)).toMatchObject({ level: 'ok' });
  });

  test.each([
    'ip6 saddr ::1 accept',
    'ip6 saddr fe80::/10 accept',
    'ip6 saddr fd00:42::/64 accept',
    'ip saddr 0.0.0.0/0 accept',
    'meta nfproto ipv4 accept',
  ])('finds that the nftables rule "%s" does not accept packets from the nodes', async (rule) => {
    const { message } = await look(absent, debian(`\t\t${rule}\n`), node);
    expect(message).toContain('rejects 10250/tcp for every node; 51821/udp');
  });

  test('reports the IPv4 rules that reject the private hosts of the node', async () => {
    const nat = aNode('agent', {
      address: 'fd00:1::5',
      settings: { network: { nat: { from: ['10.0.2.0/24'], except: [] } } },
    });
    const { repair } = await look(oracle, absent, nat, {}, { ipv6: '' });
    expect(repair).toMatch(
      /^iptables -I FORWARD 1 -s 10\.0\.2\.0\/24 -j ACCEPT; iptables -I FORWARD 1 -d 10/,
    );
  });

  test('does not judge an ip6tables table again as an nftables table', async () => {
    const twice = filter.replace('ip filter', 'ip6 filter');
    expect(await look('', twice, node, {}, { ipv6: marked })).toMatchObject({ level: 'ok' });
    expect(await look('', twice, node)).toMatchObject({ level: 'warning' });
  });
});

test('lookAtRules ignores IPv6 tables on a node with an IPv4 address', async () => {
  const rules = debian('').replace('inet', 'ip6');
  expect(await look('', rules)).toMatchObject({ level: 'ok' });
});
