import { describe, expect, test } from 'vitest';
import { firewallProbe } from '../../../../../src/agent/parts/k3s/firewall.ts';
import { memoryHost } from '../../../../lab/memory-host.ts';
import { aNode } from '../../a-node.ts';

function machine(firewalld = 'inactive', ufw?: string) {
  const files = ufw === undefined ? {} : { '/etc/ufw/ufw.conf': `LOGLEVEL=low\nENABLED=${ufw}\n` };
  return memoryHost({ files })
    .on({ file: 'systemctl' }, `ActiveState=${firewalld}\n`)
    .on({ file: 'iptables-save' }, { exitCode: 127 })
    .on({ file: 'nft' }, 'table ip slipway_nat {\n}\n');
}

test.each([
  ['no firewall is installed', machine()],
  ['ufw is installed and off', machine('inactive', 'no')],
  ['ufw is off, and only a comment enables it', machine('inactive', 'no\n#ENABLED=yes')],
])('the firewall probe reports ok if %s', async (_, host) => {
  expect(await firewallProbe(host, aNode('server')).look()).toMatchObject({ level: 'ok' });
});

test('the firewall probe reports what firewalld blocks, and the commands that allow it', async () => {
  const host = machine('active').on({ file: 'firewall-cmd' }, ({ args }) => ({
    exitCode: args.includes('--query-port=10250/tcp') ? 0 : 1,
  }));
  expect(await firewallProbe(host, aNode('server')).look()).toEqual({
    level: 'warning',
    message:
      'firewalld is active and has no rule for 6443/tcp, 8472/udp, 10.42.0.0/16, 10.43.0.0/16: nodes or pods may not reach each other.',
    repair:
      "firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address=RANGE-OF-THE-NODES port port=6443 protocol=tcp accept'; " +
      "firewall-cmd --permanent --add-rich-rule='rule family=ipv4 source address=RANGE-OF-THE-NODES port port=8472 protocol=udp accept'; " +
      'firewall-cmd --permanent --zone=trusted --add-source=10.42.0.0/16; ' +
      'firewall-cmd --permanent --zone=trusted --add-source=10.43.0.0/16; firewall-cmd --reload; restart K3s, whose rules a reload drops; ' +
      "replace RANGE-OF-THE-NODES with the range of the nodes' addresses, such as 10.0.0.0/16",
  });
});

test('the firewall probe accepts firewalld rich rules for ports', async () => {
  const rule = (end: string) => `rule family="ipv4" source address="10.0.0.0/16" port ${end}\n`;
  const host = machine('active').on({ file: 'firewall-cmd' }, ({ args }) => ({
    exitCode: args[0]?.startsWith('--query-port') ? 1 : 0,
    stdout: args.includes('--list-rich-rules')
      ? rule('port="10250" protocol="tcp" accept') + rule('port="8472" protocol="udp" drop')
      : '',
  }));
  expect(await firewallProbe(host, aNode('agent')).look()).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('has no rule for 8472/udp:'),
  });
});

test('the firewall probe advises opening only the ports of an ingress controller to the internet', async () => {
  const node = aNode('agent', { settings: { node: { labels: ['role=ingress'] } } });
  const ufw = machine('inactive', 'yes').on({ file: 'ufw', args: ['status'] }, status());
  const firewalld = machine('active').on({ file: 'firewall-cmd' }, { exitCode: 1 });
  const closedByUfw = await firewallProbe(ufw, node).look();
  expect(closedByUfw.repair?.match(/ufw allow \d[\w/]*/g)).toEqual(['ufw allow 80/tcp', 'ufw allow 443/tcp']);
  const closedByFirewalld = await firewallProbe(firewalld, node).look();
  expect(closedByFirewalld.repair?.match(/--add-port=\S+\b/g)).toEqual([
    '--add-port=80/tcp',
    '--add-port=443/tcp',
  ]);
});

const status = (...lines: readonly string[]) =>
  `Status: active\n\nTo  Action  From\n--  ------  ----\n${lines.join('\n')}\n`;

test('the firewall probe checks the ufw rules for the networks in the settings', async () => {
  const settings = { k3s: { config: { 'cluster-cidr': '10.99.0.0/16' } } };
  const node = aNode('agent', { settings });
  const open = status(
    '10250/tcp  ALLOW  10.0.0.0/24',
    '8472  ALLOW  Anywhere',
    'Anywhere  ALLOW  10.99.0.0/16',
  );
  const host = machine('inactive', 'yes').on({ file: 'ufw', args: ['status'] }, open);
  expect(await firewallProbe(host, node).look()).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('no rule for 10.43.0.0/16:'),
    repair: 'ufw allow from 10.43.0.0/16 to any',
  });
  host.on({ file: 'ufw', args: ['status'] }, `${open}Anywhere  ALLOW  10.43.0.0/16\n`);
  expect(await firewallProbe(host, node).look()).toMatchObject({ level: 'ok' });
});

test('the firewall probe accepts networks in the trusted zone of firewalld', async () => {
  const host = machine('active').on({ file: 'firewall-cmd' }, ({ args }) => ({
    exitCode: args[0]?.startsWith('--query-port') || args[0] === '--zone=trusted' ? 0 : 1,
  }));
  expect(await firewallProbe(host, undefined).look()).toMatchObject({ level: 'ok' });
});

test.each(['"yes"', "'yes'", 'YES'])(
  'the firewall probe treats ufw with ENABLED=%s as active, and ignores its DENY rules',
  async (enabled) => {
    const denied = status(
      '10250/tcp  DENY  Anywhere',
      '8472/udp  ALLOW  Anywhere',
      'Anywhere  DENY  10.42.0.0/16',
    );
    const host = machine('inactive', enabled).on({ file: 'ufw', args: ['status'] }, denied);
    expect(await firewallProbe(host, aNode('agent')).look()).toMatchObject({
      level: 'warning',
      message: expect.stringContaining('no rule for 10250/tcp, 10.42.0.0/16, 10.43.0.0/16:'),
      repair:
        'ufw allow from RANGE-OF-THE-NODES to any port 10250 proto tcp; ' +
        'ufw allow from 10.42.0.0/16 to any; ufw allow from 10.43.0.0/16 to any; ' +
        "replace RANGE-OF-THE-NODES with the range of the nodes' addresses, such as 10.0.0.0/16",
    });
  },
);

test.each([
  ['firewalld', machine('active').on({ file: 'firewall-cmd' }, { exitCode: 253 })],
  [
    'ufw',
    machine('inactive', 'yes').on({ file: 'ufw' }, { exitCode: 1, stderr: 'ERROR: You need to be root' }),
  ],
])('the firewall probe skips %s if it shows its rules to root only', async (name, host) => {
  expect(await firewallProbe(host, aNode('server')).look()).toEqual({
    level: 'skipped',
    message: `${name} is active, and shows its rules to root only: run sudo slipway doctor`,
  });
});

describe('on a node with an IPv6 address', () => {
  const node = aNode('agent', { address: 'fd00:1::5' });

  test('the firewall probe advises firewalld rules for IPv6, and accepts no rich rule for IPv4', async () => {
    const host = machine('active').on({ file: 'firewall-cmd' }, ({ args }) => ({
      exitCode: args[0]?.startsWith('--query-port') ? 1 : 0,
      stdout: args.includes('--list-rich-rules')
        ? 'rule family="ipv4" source address="10.0.0.0/16" port port="10250" protocol="tcp" accept\n' +
          'rule family="ipv6" source address="fd00:1::/64" port port="8472" protocol="udp" accept\n'
        : '',
    }));
    expect(await firewallProbe(host, node).look()).toMatchObject({
      message: expect.stringContaining('has no rule for 10250/tcp:'),
      repair: expect.stringMatching(
        /^firewall-cmd --permanent --add-rich-rule='rule family=ipv6 source address=RANGE-OF-THE-NODES port port=10250 protocol=tcp accept'; .* such as fd00:1::\/64$/,
      ),
    });
  });

  test('the firewall probe accepts only ufw rules for IPv6', async () => {
    const host = machine('inactive', 'yes').on(
      { file: 'ufw', args: ['status'] },
      status(
        '10250/tcp                  ALLOW       Anywhere',
        '10250/tcp (v6)             ALLOW       Anywhere (v6)',
        '8472/udp                   ALLOW       10.0.0.0/16',
        'Anywhere (v6)              ALLOW       fd00:42::/56',
      ),
    );
    expect(await firewallProbe(host, node).look()).toMatchObject({
      message: expect.stringContaining('has no rule for 8472/udp, fd00:43::/112:'),
      repair:
        'ufw allow from RANGE-OF-THE-NODES to any port 8472 proto udp; ufw allow from fd00:43::/112 to any; ' +
        "replace RANGE-OF-THE-NODES with the range of the nodes' addresses, such as fd00:1::/64",
    });
  });

  test('the firewall probe advises turning on IPv6 in ufw first if it is off', async () => {
    const host = machine('inactive', 'yes').on({ file: 'ufw', args: ['status'] }, status());
    host.files.write('/etc/default/ufw', 'IPV6=no\n');
    const { repair } = await firewallProbe(host, node).look();
    expect(repair).toMatch(
      /^set IPV6=yes in \/etc\/default\/ufw; ufw disable; ufw --force enable; ufw allow from /,
    );
  });
});

test('on a node with an IPv4 address, the firewall probe accepts no ufw rule for IPv6, outgoing or forwarded packets', async () => {
  const host = machine('inactive', 'yes').on(
    { file: 'ufw', args: ['status'] },
    status(
      '10250/tcp (v6)             ALLOW       Anywhere (v6)',
      '8472/udp                   ALLOW OUT   Anywhere',
      'Anywhere                   ALLOW FWD   10.42.0.0/16',
      'Anywhere                   ALLOW IN    10.43.0.0/16',
    ),
  );
  expect((await firewallProbe(host, aNode('agent')).look()).message).toContain(
    'has no rule for 10250/tcp, 8472/udp, 10.42.0.0/16:',
  );
});

describe('if ufw rejects forwarded packets by default', () => {
  function withRules(...lines: readonly string[]) {
    const open = ['10250/tcp  ALLOW  Anywhere', '8472/udp  ALLOW  Anywhere'];
    const networks = ['Anywhere  ALLOW  10.42.0.0/16', 'Anywhere  ALLOW  10.43.0.0/16'];
    const web = ['80/tcp  ALLOW  Anywhere', '443/tcp  ALLOW  Anywhere'];
    const host = machine('inactive', 'yes');
    host.files.write('/etc/default/ufw', 'IPV6=yes\nDEFAULT_FORWARD_POLICY="REJECT"\n');
    return host.on({ file: 'ufw', args: ['status'] }, status(...open, ...networks, ...web, ...lines));
  }

  test('the firewall probe advises forwarding packets from pods and to pods', async () => {
    expect(await firewallProbe(withRules(), aNode('agent')).look()).toMatchObject({
      message: expect.stringContaining(
        'has no rule for forwarded packets of 10.42.0.0/16, forwarded packets to 10.42.0.0/16:',
      ),
      repair: expect.stringMatching(
        /^ufw route allow from 10\.42\.0\.0\/16; ufw route allow from RANGE-OF-THE-NODES to 10\.42\.0\.0\/16; replace/,
      ),
    });
  });

  test('the firewall probe advises forwarding packets from the internet to pods on an ingress node', async () => {
    const node = aNode('agent', { settings: { node: { labels: ['role=ingress'] } } });
    const { repair } = await firewallProbe(withRules(), node).look();
    expect(repair).toBe('ufw route allow from 10.42.0.0/16; ufw route allow to 10.42.0.0/16');
  });

  test('the firewall probe accepts ufw rules that forward packets both from pods and to pods', async () => {
    const host = withRules(
      'Anywhere                   ALLOW FWD   10.42.0.0/16',
      '10.42.0.0/16               ALLOW FWD   10.0.0.0/16',
    );
    expect(await firewallProbe(host, aNode('agent')).look()).toMatchObject({ level: 'ok' });
  });
});
