import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { guardLoaded, imdsGuard } from '../../../src/agent/parts/network/imds-guard.ts';
import { type Allowed, type GuardRules, renderRuleset } from '../../../src/agent/parts/network/ruleset.ts';
import { memoryHost } from '../../lab/memory-host.ts';
import { aNode } from '../../unit/agent/a-node.ts';
import { Network, whatIsMissing } from './network.ts';

const missing = whatIsMissing();

const imds = '169.254.169.254';
/** An address that NAT rules redirect to the metadata service, as the rules of a Kubernetes Service might. */
const service = '10.43.0.80';
const identity = 'the identity';

/**
 * The VM's NAT rules apart from the guard: they masquerade pods with the VM's address, as flannel does, and redirect
 * `service` to `imds`.
 */
const others = `
table ip others {
  chain outward {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr 10.42.0.0/24 oifname "uplink" masquerade
  }
  chain arriving {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr ${service} dnat to ${imds}
  }
  chain leaving {
    type nat hook output priority -100; policy accept;
    ip daddr ${service} dnat to ${imds}
  }
}
`;

describe.skipIf(missing)(`a pod on the bridge of a VM${missing}`, () => {
  const [vm, pod, azure] = [new Network(), new Network(), new Network()];
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-imds-'));
    await Promise.all([vm, pod, azure].map((network) => network.make()));
    connect();
    await azure.serve(imds, 80, identity);
    await azure.serve(imds, 53, 'the name server');
    await azure.serve('10.0.1.1', 8080, 'the web');
    load(others);
  });

  afterAll(async () => {
    await Promise.all([vm, pod, azure].map((network) => network.end()));
    rmSync(folder, { recursive: true });
  });

  function connect(): void {
    vm.ip(`
      link set lo up
      link add cni0 type bridge
      addr add 10.42.0.1/24 dev cni0
      link set cni0 up
      link add uplink type veth peer name downlink netns ${azure.pid}
      addr add 10.0.1.4/24 dev uplink
      link set uplink up
      link add port type veth peer name eth0 netns ${pod.pid}
      link set port master cni0 up`);
    azure.ip(`
      link set lo up
      addr add ${imds}/32 dev lo
      addr add 10.0.1.1/24 dev downlink
      link set downlink up`);
    pod.ip(`
      addr add 10.42.0.5/24 dev eth0
      link set eth0 up
      route add default via 10.42.0.1`);
    vm.ip('route add default via 10.0.1.1');
    vm.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
  }

  function load(text: string): void {
    const path = join(folder, 'rules.nft');
    writeFileSync(path, text);
    vm.run('nft', '-f', path);
  }

  function guard(...allow: readonly Allowed[]): void {
    load(renderRuleset({ services: [{ address: imds }], allow }));
  }

  test('gets the identity of its VM without the guard', () => {
    expect(pod.ask(imds)).toBe(identity);
    expect(pod.ask(service)).toBe(identity);
    expect(vm.ask(imds, { uid: 1001 })).toBe(identity);
  });

  describe('with the guard', () => {
    beforeEach(() => guard());

    test('is refused at the address of the metadata service', () => {
      expect(pod.ask(imds)).toBe('refused');
    });

    test('gets no identity through an address that NAT redirects to the metadata service', () => {
      expect(pod.ask(service)).not.toContain(identity);
    });

    test('is refused with hostNetwork, like every user of the VM except root', () => {
      expect(vm.ask(imds)).toBe(identity);
      expect(vm.ask(imds, { uid: 1001 })).toBe('refused');
      expect(vm.ask(service, { uid: 1001 })).toBe('refused');
    });

    test('reaches other servers', () => {
      expect(pod.ask('10.0.1.1', { port: 8080 })).toBe('the web');
      expect(vm.ask('10.0.1.1', { port: 8080, uid: 1001 })).toBe('the web');
    });

    test.each([
      ['its address', '10.42.0.5', identity],
      ['its range', '10.42.0.0/24', identity],
      ['a range given by one of its addresses', '10.42.0.99/24', identity],
      ['all addresses', '0.0.0.0/0', identity],
      ['another address', '10.42.0.6', 'refused'],
    ])('gets the expected answer if imds.allow names %s (%s): %s', (_, from, answer) => {
      guard({ name: 'backup', from }, { name: 'also backup', from });
      expect(pod.ask(imds)).toBe(answer);
    });

    test('gets the identity with hostNetwork if imds.allow names its user', () => {
      guard({ name: 'monitor', uid: 1001 });
      expect(vm.ask(imds, { uid: 1001 })).toBe(identity);
      expect(vm.ask(imds, { uid: 1002 })).toBe('refused');
      expect(vm.ask(imds)).toBe(identity);
      expect(pod.ask(imds)).toBe('refused');
    });

    test('is behind a guard that can be loaded again without duplicating rules or changing other tables', () => {
      const before = vm.run('nft', 'list', 'ruleset');
      guard();
      expect(vm.run('nft', 'list', 'ruleset')).toBe(before);
      expect(before).toContain('table ip others');
    });

    test('is still refused after nft rejects an invalid rules file', () => {
      const bad = renderRuleset({ services: [{ address: imds }], allow: [] }).replace(
        'reject\n',
        'rejected\n',
      );
      expect(() => load(bad)).toThrow('syntax error');
      expect(pod.ask(imds)).toBe('refused');
    });

    test('is behind a guard whose changes Slipway recognizes in the output of nft', async () => {
      expect(await state()).toBe('InSync');
      guard({ name: 'reject', from: '10.42.0.5' });
      expect(await state()).toBe('Drifted');
      guard();
      vm.run('nft', 'insert', 'rule', 'inet', 'slipway_imds', 'forward', 'accept');
      expect(await state()).toBe('Drifted');
      guard();
      vm.run('nft', 'flush', 'chain', 'inet', 'slipway_imds', 'forward');
      expect(await state()).toBe('Drifted');
      vm.run('nft', 'delete', 'table', 'inet', 'slipway_imds');
      expect(await state()).toBe('Drifted');
    });
  });

  describe('with the guard of a single port', () => {
    const rules = { services: [{ address: imds, only: { protocol: 'tcp', port: 80 } }], allow: [] } as const;
    beforeEach(() => load(renderRuleset(rules)));

    test('gets no identity at the guarded port, even through NAT, and reaches other ports', () => {
      expect(pod.ask(imds)).toBe('refused');
      expect(pod.ask(service)).not.toContain(identity);
      expect(pod.ask(imds, { port: 53 })).toBe('the name server');
      expect(vm.ask(imds, { uid: 1001 })).toBe('refused');
      expect(vm.ask(imds, { uid: 1001, port: 53 })).toBe('the name server');
      expect(vm.ask(imds)).toBe(identity);
    });

    test('is behind a guard that Slipway distinguishes from the guard of all ports', async () => {
      expect(await state(rules)).toBe('InSync');
      expect(await state()).toBe('Drifted');
      guard();
      expect(await state(rules)).toBe('Drifted');
      expect(pod.ask(imds, { port: 53 })).toBe('refused');
    });
  });

  test('is refused by a guard of several addresses, whose rules Slipway recognizes in the output of nft', async () => {
    const several = {
      services: [
        { address: imds, only: { protocol: 'tcp', port: 80 } },
        { address: '169.254.169.253' },
        { address: 'fd00:c1::a9fe:a9fe', only: { protocol: 'tcp', port: 80 } },
      ],
      allow: [
        { name: 'monitor', uid: 1001 },
        { name: 'backup', from: '10.42.0.6' },
      ],
    } as const;
    load(renderRuleset(several));
    expect(await state(several)).toBe('InSync');
    expect(pod.ask(imds)).toBe('refused');
    expect(vm.ask(imds, { uid: 1001 })).toBe(identity);
    const rule = 'insert rule inet slipway_imds output ip6 daddr fd00:c1::a9fe:a9fe accept';
    vm.run('nft', ...rule.split(' '));
    expect(await state(several)).toBe('Drifted');
  });

  describe('with the guard of Oracle Cloud', () => {
    const ipv6 = 'fd00:c1::a9fe:a9fe';

    beforeAll(async () => {
      azure.ip(`addr add ${ipv6}/128 dev lo nodad`);
      azure.ip('addr add fd00:1::1/64 dev downlink nodad');
      azure.ip('route add fd00:42::/64 via fd00:1::4');
      vm.ip('addr add fd00:1::4/64 dev uplink nodad');
      vm.ip('addr add fd00:42::1/64 dev cni0 nodad');
      vm.ip('route add default via fd00:1::1');
      vm.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding');
      pod.ip('addr add fd00:42::5/64 dev eth0 nodad');
      pod.ip('route add default via fd00:42::1');
      await azure.serve(ipv6, 80, identity);
      await azure.serve(ipv6, 53, 'the name server');
    });

    test('is refused at the IPv4 and the IPv6 address, on port 80 only', async () => {
      vm.run('nft', 'delete', 'table', 'inet', 'slipway_imds');
      expect(pod.ask(ipv6), 'the address is reached without the guard').toBe(identity);
      expect(vm.ask(ipv6, { uid: 1001 })).toBe(identity);
      load(await oracleRules());
      for (const address of [imds, ipv6]) {
        expect(pod.ask(address)).toBe('refused');
        expect(vm.ask(address, { uid: 1001 })).toBe('refused');
        expect(vm.ask(address)).toBe(identity);
        expect(pod.ask(address, { port: 53 })).toBe('the name server');
      }
    });

    async function oracleRules(): Promise<string> {
      const { settings, paths } = aNode('agent');
      const decided = { ...settings, cloud: 'oracle', imds: { pods: 'block', allow: [] } } as const;
      const [ruleset] = imdsGuard({ settings: decided, paths }, async () => false);
      const host = memoryHost();
      const finding = await ruleset?.check(host);
      await (finding?.state === 'Drifted' && finding.drift.remedy(host));
      return host.files.text(paths.slipway.imdsGuard) ?? '';
    }
  });

  /** Returns the state that Slipway's check of the guard finds; nft runs directly instead of through systemd-run. */
  async function state(rules: GuardRules = { services: [{ address: imds }], allow: [] }): Promise<string> {
    const host = memoryHost({ files: { '/usr/sbin/nft': '' } })
      .on({ file: 'systemctl', args: /^show / }, 'ActiveState=active\n')
      .on({ file: 'systemd-run' }, ({ args }) => asked(args.slice(args.indexOf('/usr/sbin/nft') + 1)));
    return (await guardLoaded(rules, []).check(host)).state;
  }

  function asked(args: readonly string[]) {
    try {
      return vm.run('nft', ...args);
    } catch (error) {
      return { exitCode: 1, stderr: String(Object(error).stderr) };
    }
  }
});
