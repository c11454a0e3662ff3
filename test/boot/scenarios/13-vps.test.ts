import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../src/agent/doctor/probe.ts';
import { type BootedHost, eventually } from '../booted-host.ts';
import { ready } from '../cluster.ts';
import { failedUnits, startsOf, told } from '../judge.ts';
import { addHostPort, podNamespace, startPod } from '../pod.ts';
import { answerAt, listen } from '../requests.ts';
import { storedNode } from '../stored-node.ts';
import { apiAddress, startVpses, type VpsClusters, type VpsName, vpses } from '../vps-cluster.ts';
import { credentialSettings, encryptToken, loadCredential, openIngress } from '../vps-page.ts';

let vps: VpsClusters;
let server: BootedHost<VpsName>;
let agent: BootedHost<VpsName>;
let farServer: BootedHost<VpsName>;
let farAgent: BootedHost<VpsName>;

beforeAll(async () => {
  vps = await startVpses({ edit: (name, text) => (name === 'agent' ? withoutToken(text) : text) });
  [server, agent, farServer, farAgent] = [
    vps.host('server'),
    vps.host('agent'),
    vps.host('far-server'),
    vps.host('far-agent'),
  ];
  vps.network.attach(vpses.server);
  await vps.powerOn();
});

afterAll(() => vps?.stop());

/** Returns the user data without the token, as docs/usage/vps.md advises. */
function withoutToken(userData: string): string {
  const entry = / {2}- path: \/etc\/slipway\/k3s-token\n(?: {4}.*\n)+/;
  expect(userData).toMatch(entry);
  return userData.replace(entry, '');
}

describe('during the first boot', () => {
  test('a VPS without its private network reports the addresses that it has, and waits', async () => {
    const { message } = await told(agent, 'Identity', 'NodeAddressUnknown', 60_000);
    expect(message).toContain('fits static.address (10.0.0.0/16); it has 203.0.113.3 (eth0)');
    expect(agent.has('/etc/rancher/k3s/config.yaml')).toBe(false);
    vps.network.attach(vpses.agent);
  });

  test('a VPS without its join token file reports the path of the file, and waits', async () => {
    const { message } = await told(agent, 'JoinToken', 'SecretNotFound');
    expect(message).toContain('/etc/slipway/k3s-token');
  });

  test('a systemd credential created with the documented command serves as join token, and every node becomes Ready', async () => {
    await agent.ask('mkdir', '-p', '/etc/credstore.encrypted');
    await agent.ask('sh', '-c', `echo '${vps.joinToken}' | ${encryptToken}`);
    agent.write('/etc/systemd/system/slipway.service.d/override.conf', `[Service]\n${loadCredential}\n`);
    agent.write('/etc/slipway/config.d/token.yaml', `${credentialSettings}\n`);
    await agent.ask('systemctl', 'daemon-reload');
    await agent.ask('systemctl', 'restart', 'slipway');
    await ready(vps.hosts, 120_000);
    expect(agent.read('/var/lib/slipway/join-token')).toContain(vps.joinToken);
    expect((await agent.show('slipway.service', 'ProtectSystem')).ProtectSystem).toBe('strict');
  });

  test('cloud-init is done, no unit has failed, and Slipway detects no cloud', async () => {
    for (const host of vps.hosts) {
      expect((await host.run('cloud-init', 'status', '--wait')).stdout).toContain('status: done');
      expect(await failedUnits(host)).toBe('');
      expect(await host.ask('slipway', 'config', '--set', 'cloud=auto')).toMatch(
        /^cloud: static .*no cloud detected/m,
      );
    }
  });

  test('no journal, status or command line contains a token, nor do the files of cloud-init if the user data has none', async () => {
    for (const host of vps.hosts) {
      const journal = (await host.journal()).map(({ message }) => message).join('\n');
      const lines = await host.ask('sh', '-c', 'cat /run/slipway/status.json /proc/[0-9]*/cmdline');
      expect(`${journal}${lines}`).toContain('slipway');
      expect(`${journal}${lines}`.includes(vps.joinToken)).toBe(false);
    }
    const kept = await agent.ask('sh', '-c', 'find /var/lib/cloud -type f -exec cat {} +');
    expect(kept).toContain('slipway install');
    expect(kept.includes(vps.joinToken)).toBe(false);
  });
});

/** The K3s flags that the examples set on every server. */
const ofServers = {
  'write-kubeconfig-mode': ['600'],
  disable: ['traefik', 'servicelb'],
  'tls-san': [apiAddress],
  'secrets-encryption': ['true'],
  'protect-kernel-defaults': ['true'],
  'node-label': ['node-role=master'],
  'node-taint': ['node-role.kubernetes.io/control-plane=true:NoSchedule'],
};
const ofAgents = { 'protect-kernel-defaults': ['true'], 'node-label': ['node-role=worker'] };

describe('K3s', () => {
  test.each<[VpsName, VpsName, object]>([
    ['server', 'server', { ...ofServers, 'node-ip': ['10.0.0.2'], 'flannel-iface': ['enp7s0'] }],
    [
      'agent',
      'server',
      {
        ...ofAgents,
        server: ['https://10.0.0.2:6443'],
        'node-ip': ['10.0.0.3'],
        'flannel-iface': ['enp7s0'],
      },
    ],
    [
      'far-server',
      'far-server',
      {
        ...ofServers,
        'node-ip': ['203.0.113.4'],
        'node-external-ip': ['203.0.113.4'],
        'flannel-backend': ['wireguard-native'],
        'flannel-external-ip': ['true'],
      },
    ],
    [
      'far-agent',
      'far-server',
      {
        ...ofAgents,
        server: ['https://203.0.113.4:6443'],
        'node-ip': ['203.0.113.5'],
        'node-external-ip': ['203.0.113.5'],
      },
    ],
  ])('was started once on %s, with the flags of its example', async (name, at, flags) => {
    const host = vps.host(name);
    expect(await startsOf(host, host.k3sUnit)).toBe(1);
    const common = { 'node-name': [name], 'token-file': ['/var/lib/slipway/join-token'] };
    expect(storedNode(vps.host(at), name).flags).toEqual({ ...common, ...flags });
  });

  test('registers each node with the labels, taints and addresses of its example', () => {
    const control = { key: 'node-role.kubernetes.io/control-plane', value: 'true', effect: 'NoSchedule' };
    expect(storedNode(server, 'server')).toMatchObject({
      labels: { 'node-role': 'master' },
      taints: [control],
      addresses: { InternalIP: '10.0.0.2' },
    });
    expect(storedNode(server, 'agent')).toMatchObject({
      labels: { 'node-role': 'worker' },
      taints: [],
      addresses: { InternalIP: '10.0.0.3' },
    });
    expect(storedNode(farServer, 'far-agent')).toMatchObject({
      labels: { 'node-role': 'worker' },
      addresses: { InternalIP: '203.0.113.5', ExternalIP: '203.0.113.5' },
    });
  });

  test('has a certificate for the name by which kubectl reaches the server', async () => {
    expect(await namesAt(vpses.server.publicAddress)).toContain(`DNS:${apiAddress}`);
  });

  test('starts once after a reboot, with the kernel settings that its kubelet requires', async () => {
    await Promise.all(vps.hosts.map((host) => host.reboot()));
    await ready(vps.hosts, 120_000);
    for (const host of vps.hosts) {
      expect(await startsOf(host, host.k3sUnit)).toBe(2);
      expect(await host.ask('cat', '/proc/sys/vm/overcommit_memory', '/proc/sys/kernel/panic')).toBe('1\n10');
    }
  });
});

/** Resolves to the subject alternative names in the certificate of the API at an address. */
function namesAt(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 6443, rejectUnauthorized: false, servername: apiAddress }, () => {
      resolve(socket.getPeerCertificate().subjectaltname ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

/**
 * Runs `slipway doctor` as root, or with the command `as` in front, and resolves to its diagnosis of `what`. Fails the
 * test if there is no such diagnosis.
 */
async function diagnosis(host: BootedHost, what: string, ...as: readonly string[]): Promise<Diagnosis> {
  const { stdout } = await host.run('env', ...as, 'slipway', 'doctor', '-o', 'json');
  const { diagnoses }: { readonly diagnoses: readonly Diagnosis[] } = JSON.parse(stdout);
  return diagnoses.find((each) => each.what === what) ?? expect.fail(`no diagnosis of ${what}: ${stdout}`);
}

const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] as const;

describe('a credential', () => {
  const secret = 'secret k3s-token';

  test('can be read only by a doctor that root runs; for another user, the doctor says to run it as root', async () => {
    expect(await diagnosis(agent, secret)).toMatchObject({ level: 'ok' });
    const { message, reason } = await diagnosis(agent, secret, ...asNobody);
    expect(reason).toBe('PermissionDenied');
    expect(message).toMatch(/\/run\/credentials\/slipway\.service\/k3s-token.*Run as root/);
  });

  test('is missing while slipway.service is stopped; the doctor explains this, and slipway plan still works', async () => {
    await agent.ask('systemctl', 'stop', 'slipway');
    const { message, reason } = await diagnosis(agent, secret);
    expect(reason).toBe('SecretNotFound');
    expect(message).toMatch(/only while slipway\.service runs: run systemctl start slipway/);
    expect((await agent.run('slipway', 'plan')).exitCode).toBe(0);
    await agent.ask('systemctl', 'start', 'slipway');
    expect(await diagnosis(agent, secret)).toMatchObject({ level: 'ok' });
  });
});

/** The firewall rules of a hardened image, which drop incoming connections except ssh. */
const hardened = `table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname lo accept
    meta l4proto { icmp, ipv6-icmp } accept
    tcp dport 22 accept
  }
}
`;

/**
 * Loads the hardened rules, then runs the commands that `slipway doctor` suggests, which open the ports for `nodes`.
 */
async function openFor(host: BootedHost, nodes: string): Promise<void> {
  host.write('/etc/firewall.nft', hardened);
  await host.ask('nft', '-f', '/etc/firewall.nft');
  const { level, repair = '' } = await diagnosis(host, 'host firewall');
  expect(level).toBe('warning');
  const commands = repair.split('; ').filter((each) => each.startsWith('nft '));
  expect(commands).not.toEqual([]);
  for (const command of commands) {
    await host.ask('sh', '-c', command.replaceAll('RANGE-OF-THE-NODES', nodes));
  }
  expect(await diagnosis(host, 'host firewall')).toMatchObject({ level: 'ok' });
}

describe('with a firewall that drops packets, after the commands that the doctor prints', () => {
  beforeAll(async () => {
    expect(await answerAt(server.address, '6443/tcp'), 'open without rules').toBe('open');
    await openFor(server, '10.0.0.0/16');
    await openFor(agent, '10.0.0.0/16');
    await openFor(farAgent, farServer.address);
    await listen(server, 'server', ['10250/tcp', '8472/udp']);
    await listen(agent, 'worker', ['80/tcp', '10250/tcp', '8472/udp']);
    await listen(farAgent, 'far', ['10250/tcp', '8472/udp', '51820/udp']);
  });

  test('the private network reaches the ports of the nodes, and the internet does not', async () => {
    expect(await answerAt('10.0.0.2', '6443/tcp', agent)).toBe('open');
    expect(await answerAt(server.address, '6443/tcp')).toBe('no answer');
    for (const port of ['10250/tcp', '8472/udp'] as const) {
      expect(await answerAt('10.0.0.2', port, agent)).toBe('server');
      expect(await answerAt('10.0.0.3', port, server)).toBe('worker');
      expect(await answerAt(server.address, port)).toBe('no answer');
      expect(await answerAt(agent.address, port)).toBe('no answer');
    }
  });

  test('a node reaches WireGuard and kubelet on another node of its cluster, and the internet does not', async () => {
    for (const port of ['10250/tcp', '51820/udp'] as const) {
      expect(await answerAt(farAgent.address, port, farServer)).toBe('far');
      expect(await answerAt(farAgent.address, port)).toBe('no answer');
    }
    expect(await answerAt(farAgent.address, '8472/udp', farServer), 'vxlan').toBe('no answer');
  });

  test('a request from the internet reaches a server on port 80 of the host once the documented command opens the port', async () => {
    expect(await answerAt(agent.address, '80/tcp')).toBe('no answer');
    await agent.ask('sh', '-c', openIngress);
    expect(await answerAt(agent.address, '80/tcp')).toBe('worker');
  });

  test('a request from the internet reaches the hostPort of a pod despite the firewall rules of the node', async () => {
    await startPod(agent);
    await addHostPort(agent, 443, 8443);
    await listen(agent, 'pod', ['8443/tcp'], podNamespace);
    expect(await answerAt(agent.address, '443/tcp')).toBe('pod');
  });

  test('every node stays Ready', async () => {
    const since = Date.now();
    await Promise.all(vps.hosts.map((host) => host.reload()));
    await eventually('a pass of every node', () => vps.hosts.every((host) => host.isReady(since)), 60_000);
  });
});
