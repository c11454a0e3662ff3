import { expect, test } from 'vitest';
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

test('the firewall probe accepts rich rules of firewalld for ports', async () => {
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
