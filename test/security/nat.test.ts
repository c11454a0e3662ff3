/**
 * Tests NAT in network namespaces, for a private host that reaches the outside only through an ingress node. The router
 * of the virtual network sends the ingress node all packets that leave the network from the private subnet; the outside
 * has no route back to private addresses.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { NatSettings } from '../../src/agent/parts/network/nat/kept-ranges.ts';
import { nat } from '../../src/agent/parts/network/nat/nat.ts';
import { renderNatUnit } from '../../src/agent/parts/network/nat/nat-files.ts';
import { renderNat } from '../../src/agent/parts/network/nat/nat-rules.ts';
import { nodePaths } from '../../src/agent/paths.ts';
import { defaults } from '../../src/agent/settings/defaults.ts';
import { Network, whatIsMissing } from '../integration/imds/network.ts';
import { memoryHost } from '../lab/memory-host.ts';

const missing = whatIsMissing();
const outside = '203.0.113.80';
const rules = { from: ['10.0.2.0/24'], except: ['10.0.0.0/16'], outside: 'ens3' };
const settings = {
  network: { ...defaults.network, nat: { from: rules.from, except: rules.except } },
  consent: defaults.consent,
} as NatSettings;

describe.skipIf(missing)(`a private host behind an ingress node${missing}`, () => {
  const [host, router, ingress, world] = [new Network(), new Network(), new Network(), new Network()];
  const all = [host, router, ingress, world];
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-nat-'));
    await Promise.all(all.map((network) => network.make()));
    connect();
    await Promise.all([
      world.serveClientAddress(outside, 80),
      router.serveClientAddress('10.0.3.1', 80),
      ingress.serveClientAddress('10.0.1.10', 80),
    ]);
    writeFileSync(join(folder, 'nat.nft'), renderNat(rules));
  });

  afterAll(async () => {
    await Promise.all(all.map((network) => network.end()));
    rmSync(folder, { recursive: true });
  });

  beforeEach(() => {
    ingress.run('nft', 'flush', 'ruleset');
    ingress.run('sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward');
  });

  function connect(): void {
    router.ip(`
      link set lo up
      addr add 10.0.3.1/32 dev lo
      link add v-priv type veth peer name eth0 netns ${host.pid}
      link add v-pub type veth peer name ens3 netns ${ingress.pid}
      link add v-out type veth peer name eth0 netns ${world.pid}
      addr add 10.0.2.1/24 dev v-priv
      addr add 10.0.1.1/24 dev v-pub
      addr add 203.0.113.1/24 dev v-out
      link set v-priv up
      link set v-pub up
      link set v-out up`);
    // The route table of the private subnet: local routes of the network, then the ingress node.
    router.ip(`
      rule add iif v-priv to 10.0.0.0/16 lookup main pref 10
      rule add iif v-priv lookup 77 pref 11
      route add default via 10.0.1.10 table 77`);
    router.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
    host.ip(`
      addr add 10.0.2.10/24 dev eth0
      link set eth0 up
      route add default via 10.0.2.1`);
    ingress.ip(`
      link set lo up
      addr add 10.0.1.10/24 dev ens3
      link set ens3 up
      route add default via 10.0.1.1`);
    // The outside has a route only to the public subnet, whose addresses represent public addresses.
    world.ip(`
      addr add ${outside}/24 dev eth0
      link set eth0 up
      route add 10.0.1.0/24 via 203.0.113.1`);
  }

  /** Runs the `ExecStart=` or `ExecReload=` commands of the NAT unit on the ingress node. */
  function runUnit(verb: 'ExecStart' | 'ExecReload'): void {
    const text = renderNatUnit(nodePaths('/')).replaceAll('/etc/slipway', folder);
    for (const [, command = ''] of text.matchAll(new RegExp(`^${verb}=(.+)$`, 'gm'))) {
      ingress.run('sh', '-c', command);
    }
  }

  test('does not reach the outside without NAT, even if the ingress node forwards packets', () => {
    expect(host.ask(outside)).toContain('neither answered');
    ingress.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
    expect(host.ask(outside)).toContain('neither answered');
  });

  describe('with the NAT unit and without any process of Slipway', () => {
    beforeEach(() => runUnit('ExecStart'));

    test('reaches the outside under the address of the ingress node', () => {
      expect(host.ask(outside)).toBe('10.0.1.10');
      expect(ingress.ask(outside)).toBe('10.0.1.10');
    });

    test('keeps its own address inside the virtual network', () => {
      expect(host.ask('10.0.1.10')).toBe('10.0.2.10');
      expect(host.ask('10.0.3.1')).toBe('10.0.2.10');
    });

    test('gets the same NAT rules after the unit is reloaded or started again', () => {
      const before = ingress.run('nft', 'list', 'ruleset');
      runUnit('ExecReload');
      runUnit('ExecStart');
      expect(ingress.run('nft', 'list', 'ruleset')).toBe(before);
    });

    test('is masqueraded by rules that do not affect addresses outside the private range', () => {
      ingress.ip('addr add 10.9.9.9/32 dev lo');
      world.ip('route add 10.9.9.9/32 via 203.0.113.1');
      router.ip('route add 10.9.9.9/32 via 10.0.1.10');
      const script = `exec 3<>/dev/tcp/${outside}/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`;
      ingress.ip('route replace 203.0.113.0/24 via 10.0.1.1 src 10.9.9.9');
      expect(ingress.run('bash', '-c', script)).toContain('10.9.9.9');
      ingress.ip('route del 203.0.113.0/24');
    });

    test('keeps NAT when the iptables rules of K3s or an image are saved, restored or flushed', () => {
      ingress.run('sh', '-c', 'iptables-save | grep -v KUBE- | iptables-restore');
      ingress.run('iptables', '-t', 'nat', '-F');
      expect(host.ask(outside)).toBe('10.0.1.10');
    });

    test('loses NAT after a flush of all rules, Slipway reports drift, and a reload of the unit restores NAT', async () => {
      expect(await state()).toBe('InSync');
      ingress.run('nft', 'flush', 'ruleset');
      expect(host.ask(outside)).toContain('neither answered');
      expect(await state()).toBe('Drifted');
      runUnit('ExecReload');
      expect(host.ask(outside)).toBe('10.0.1.10');
      expect(await state()).toBe('InSync');
    });

    test.each([
      [
        'an accept rule was inserted before that of Slipway',
        'nft',
        'insert',
        'rule',
        'ip',
        'slipway_nat',
        'postrouting',
        'accept',
      ],
      ['the chain of Slipway was flushed', 'nft', 'flush', 'chain', 'ip', 'slipway_nat', 'postrouting'],
      ['forwarding was disabled', 'sh', '-c', 'echo 0 >/proc/sys/net/ipv4/ip_forward'],
    ])('loses NAT, and Slipway reports drift, after %s', async (_, file, ...args) => {
      ingress.run(file, ...args);
      expect(await state()).toBe('Drifted');
    });

    test("is rejected by an image's firewall until the two rules from the documentation accept its packets", () => {
      ingress.run('iptables', '-A', 'FORWARD', '-j', 'REJECT', '--reject-with', 'icmp-host-prohibited');
      expect(host.ask(outside)).toContain('No route to host');
      ingress.run('iptables', ...'-I FORWARD 1 -s 10.0.2.0/24 -j ACCEPT'.split(' '));
      const back = '-I FORWARD 2 -d 10.0.2.0/24 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';
      ingress.run('iptables', ...back.split(' '));
      expect(host.ask(outside)).toBe('10.0.1.10');
    });
  });

  /** Resolves to the state that Slipway finds for the NAT rules; nft runs directly, not through systemd-run. */
  async function state(): Promise<string | undefined> {
    const files = {
      '/usr/sbin/nft': '',
      '/etc/slipway/nat.nft': renderNat(rules),
      '/proc/sys/net/ipv4/ip_forward': ingress.run('cat', '/proc/sys/net/ipv4/ip_forward'),
      '/proc/net/route': ingress.run('cat', '/proc/net/route'),
    };
    const machine = memoryHost({ files })
      .on({ file: 'systemctl', args: /^show / }, 'ActiveState=active\n')
      .on({ file: 'systemd-run' }, ({ args }) => asked(args.slice(args.indexOf('/usr/sbin/nft') + 1)));
    const resource = nat(settings, nodePaths('/')).find(({ id }) => id === 'Nat/rules');
    return (await resource?.check(machine))?.state;
  }

  function asked(args: readonly string[]) {
    try {
      return ingress.run('nft', ...args);
    } catch (error) {
      return { exitCode: 1, stderr: String(Object(error).stderr) };
    }
  }
});
