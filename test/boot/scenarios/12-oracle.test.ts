import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BootedHost, eventually } from '../booted-host.ts';
import { ready } from '../cluster.ts';
import { failedUnits, startsOf, told } from '../judge.ts';
import {
  echo,
  loginServer,
  type OracleName,
  type OracleNodes,
  startOracleNodes,
  visitor,
} from '../oracle-cluster.ts';
import { metadataService } from '../oracle-network.ts';
import { addHostPort, podNamespace, startPod } from '../pod.ts';
import { answerAt, answerFrom, listen, type Port } from '../requests.ts';
import { storedNode } from '../stored-node.ts';

let oracle: OracleNodes;
let ingress: BootedHost<OracleName>;
let server: BootedHost<OracleName>;
let worker: BootedHost<OracleName>;

beforeAll(async () => {
  oracle = await startOracleNodes();
  [ingress, server, worker] = [oracle.host('ingress'), oracle.host('server'), oracle.host('worker')];
  await Promise.all([server.powerOn(), worker.powerOn()]);
});

afterAll(() => oracle?.stop());

/** Resolves to the source address that the internet sees in requests from a private host, or to `no answer`. */
function seenFrom(host: BootedHost): Promise<string> {
  return answerAt(echo, '8000/tcp', host);
}

describe('during the first boot', () => {
  test('private hosts wait for NAT, and reach nothing outside until then', async () => {
    for (const host of [server, worker]) {
      const waits = async () =>
        (await host.journal('-t', 'slipway')).some(({ message }) =>
          message.includes('cannot be reached yet'),
        );
      await eventually(`${host.name} to wait for NAT`, waits, 120_000);
      expect(await seenFrom(host)).toBe('no answer');
      expect(host.has('/usr/local/bin/slipway')).toBe(false);
    }
  });

  test('NAT of the ingress node needs neither a server nor a token', async () => {
    await ingress.powerOn();
    await eventually('NAT', async () => (await seenFrom(server)) === ingress.address, 120_000);
    await told(server, 'JoinToken', 'SecretNotVisible');
    expect((await ingress.show(ingress.k3sUnit, 'ActiveState')).ActiveState).not.toBe('active');
    expect(await seenFrom(worker)).toBe(ingress.address);
  });

  test('every node is Ready once the vault has the token', async () => {
    oracle.cloud.vault.set('k3s-token', oracle.joinToken);
    await ready(oracle.hosts, 180_000);
    for (const host of oracle.hosts) {
      expect(await failedUnits(host)).toBe('');
      expect(await startsOf(host, host.k3sUnit)).toBe(1);
      expect(host.read('/etc/rancher/k3s/registries.yaml')).toContain(loginServer);
    }
  });

  test('each node has the address and the labels of its role', () => {
    const [at, labels] = [
      'fleet-ingress',
      { role: 'ingress', 'svccontroller.k3s.cattle.io/enablelb': 'true' },
    ];
    expect(storedNode(server, at)).toMatchObject({ labels, addresses: { InternalIP: ingress.address } });
    expect(storedNode(server, 'fleet-worker').addresses).toMatchObject({ InternalIP: worker.address });
    expect(storedNode(server, 'fleet-server').addresses).toMatchObject({ InternalIP: server.address });
  });

  test('no journal, status or command line contains a secret, token or key of the cloud', async () => {
    for (const host of oracle.hosts) {
      const journal = (await host.journal()).map(({ message }) => message).join('\n');
      const lines = await host.ask('sh', '-c', 'cat /run/slipway/status.json /proc/[0-9]*/cmdline');
      expect(`${journal}${lines}`).toContain('slipway');
      for (const secret of oracle.cloud.canaries()) {
        expect(`${journal}${lines}`.includes(secret)).toBe(false);
      }
    }
  });
});

describe('the firewall rules of the image', () => {
  test('stay in the kernel and in rules.v4, with the added rules before the rules that reject', async () => {
    for (const host of oracle.hosts) {
      const kernel = await host.ask('iptables', '-S');
      const file = host.read('/etc/iptables/rules.v4') ?? '';
      for (const rules of [kernel, file]) {
        const at = (rule: string) => rules.split('\n').findIndex((line) => line.startsWith(rule));
        expect(at('-A FORWARD -s 10.42.0.0/16')).toBeGreaterThan(0);
        expect(at('-A FORWARD -s 10.42.0.0/16')).toBeLessThan(at('-A FORWARD -j REJECT'));
        expect(at('-A INPUT -j REJECT')).toBeGreaterThan(0);
        expect(at('-A InstanceServices -d 169.254.0.0/16 -p tcp')).toBeGreaterThan(0);
      }
    }
  });

  test('let a request from the internet reach ports 80 and 443 of the ingress node, and of no other node', async () => {
    for (const host of oracle.hosts) {
      await listen(host, host.name, ['80/tcp', '443/tcp']);
    }
    for (const port of ['80/tcp', '443/tcp'] as const) {
      expect(await answerFrom(visitor, ingress.address, port)).toBe('ingress');
      expect(await answerAt(server.address, port)).toBe('no answer');
      expect(await answerAt(worker.address, port)).toBe('no answer');
    }
  });

  test('let a request to a hostPort on the ingress node reach its pod', async () => {
    await startPod(ingress);
    await addHostPort(ingress, 443, 8443);
    await listen(ingress, 'pod', ['8443/tcp'], podNamespace);
    expect(await answerFrom(visitor, ingress.address, '443/tcp')).toBe('pod');
  });
});

describe('the metadata service', () => {
  test('is closed to pods on port 80 only, because DNS and NTP share its address', async () => {
    await startPod(worker);
    const fromPod = (port: Port) => answerAt(metadataService, port, worker, podNamespace);
    expect(await fromPod('53/tcp')).toBe('dns');
    expect(await fromPod('53/udp')).toBe('dns');
    expect(await fromPod('123/udp')).toBe('ntp');
    expect(await fromPod('80/tcp')).toBe('no answer');
    expect(await answerAt(metadataService, '80/tcp', worker)).toBe('open');
    await worker.ask('nft', 'delete', 'table', 'inet', 'slipway_imds');
    expect(await fromPod('80/tcp'), 'the rules were what closed it').toBe('open');
  });
});

describe('NAT of the ingress node', () => {
  test('keeps working while Slipway is stopped and slipway-nat is stopped or restarted', async () => {
    await ingress.ask('systemctl', 'stop', 'slipway');
    expect(await seenFrom(server)).toBe(ingress.address);
    await ingress.ask('systemctl', 'stop', 'slipway-nat');
    expect(await seenFrom(server)).toBe(ingress.address);
    await ingress.ask('systemctl', 'restart', 'slipway-nat');
    expect(await seenFrom(server)).toBe(ingress.address);
  });

  test('works after a reboot without the executable of Slipway, and private hosts have no other way out', async () => {
    await ingress.ask('mv', '/usr/local/bin/slipway', '/usr/local/bin/slipway.away');
    await ingress.reboot();
    await eventually('NAT', async () => (await seenFrom(worker)) === ingress.address, 60_000);
    await ingress.ask('nft', 'delete', 'table', 'ip', 'slipway_nat');
    expect(await seenFrom(worker)).not.toBe(ingress.address);
    await ingress.ask('mv', '/usr/local/bin/slipway.away', '/usr/local/bin/slipway');
    await ingress.ask('systemctl', 'restart', 'slipway');
    await eventually('NAT', async () => (await seenFrom(worker)) === ingress.address, 60_000);
    await ready([ingress], 120_000);
  });
});
