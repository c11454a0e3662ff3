/**
 * The three nodes of packaging/terraform/oracle on an emulated Oracle Cloud: an ingress node in a public subnet, and a
 * server and a worker in a private one. Each node boots with the firewall rules of Oracle's Ubuntu image. A cloud-init
 * seed contains the node's user data: packaging/cloud-init/oracle.yaml, filled in as Terraform does.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { newSecrets } from '../lab/cluster-secrets.ts';
import { startMirror } from '../lab/mirror.ts';
import { type Oracle, startOracle } from '../lab/oracle/index.ts';
import { readRepos } from '../lab/oracle/registry.ts';
import { readSecret } from '../lab/oracle/vault.ts';
import { type ExampleNode, oracleExample } from '../lab/platforms/oracle-example.ts';
import { BootedHost, standInNode } from './booted-host.ts';
import { suite } from './cluster.ts';
import { relay } from './front-door.ts';
import { openNames } from './internet.ts';
import { metadataService, networkConfig, startOracleNetwork } from './oracle-network.ts';
import { rootFileSystem } from './root-file-system.ts';
import { exampleUserData, publishExecutable, seedCloudInit } from './vps-provisioning.ts';

export type OracleName = ExampleNode['name'];

export const loginServer = 'fra.ocir.io';

/** An internet address that answers each connection to port 8000 with the caller's address. */
export const echo = '203.0.113.50';

/** The internet address of a visitor. */
export const visitor = '203.0.113.60';

export interface OracleNodes {
  readonly cloud: Oracle;
  readonly hosts: readonly BootedHost<OracleName>[];
  /** The value of the join token, which the vault does not contain yet. */
  readonly joinToken: string;
  host(name: OracleName): BootedHost<OracleName>;
  stop(): Promise<void>;
}

/** Prepares the nodes, all powered off. The vault does not contain the join token yet. */
export async function startOracleNodes(): Promise<OracleNodes> {
  const dir = process.env.SLIPWAY_BOOT_DIR ?? mkdtempSync(join(tmpdir(), 'slipway-boot-'));
  execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', dir]);
  const nodes = oracleExample({ registries: [loginServer] });
  const [ingress] = nodes;
  const network = startOracleNetwork(join(dir, 'network'), nodes, ingress?.address ?? '');
  const { joinToken, agentToken } = newSecrets();
  const cloud = await startCloud(nodes, { 'k3s-agent-token': agentToken });
  const mirror = await startMirror(cloud, { interpreter: standInNode });
  const names = await openNames(cloud.routes, network);
  const metadata = await openMetadata(cloud, nodes);
  const image = rootFileSystem(suite());
  const hosts = nodes.map((node) => {
    const { name, address } = node;
    const host = new BootedHost<OracleName>({
      ...{ name, address, image, dir: join(dir, name), namespace: network.namespaceOf(name) },
    });
    provision(host, node, { cloud, names: names.hosts, executable: publishExecutable(mirror) });
    return host;
  });
  const host = (name: OracleName) => {
    const found = hosts.find((each) => each.name === name);
    if (!found) {
      throw new Error(`There is no node ${name}.`);
    }
    return found;
  };
  network.addAddress(echo);
  network.addAddress(visitor);
  const servers = [
    await answering(echo, 8000, ({ remoteAddress = '' }) => remoteAddress.replace('::ffff:', '')),
    await answering(metadataService, 53, () => 'dns'),
    await answeringPackets(metadataService, 53, 'dns'),
    await answeringPackets(metadataService, 123, 'ntp'),
  ];
  return {
    cloud,
    hosts,
    joinToken,
    host,
    stop: async () => {
      await Promise.all(hosts.map((each) => each.crash()));
      await Promise.all([names, metadata, mirror, cloud, ...servers].map((each) => each.stop()));
    },
  };
}

/** Starts the cloud with the permissions in identities.tf: only the server may read the server's join token. */
async function startCloud(
  nodes: readonly ExampleNode[],
  secrets: Readonly<Record<string, string>>,
): Promise<Oracle> {
  const vms = nodes.map(({ name, hostname, address, tags }) => {
    return [name, { hostname, addresses: [address], freeformTags: { ...tags } }] as const;
  });
  const cloud = await startOracle({ nodes: Object.fromEntries(vms), secrets, registries: [loginServer] });
  cloud.permit('server', readSecret('k3s-token'));
  for (const { name } of nodes) {
    cloud.permit(name, readSecret('k3s-agent-token'));
    cloud.permit(name, readRepos);
  }
  return cloud;
}

/** Opens the metadata service, which recognizes each node by its address. */
function openMetadata(cloud: Oracle, nodes: readonly ExampleNode[]) {
  return relay(metadataService, 80, (caller) => {
    const node = nodes.find(({ address }) => address === caller);
    return node && Number(new URL(cloud.node(node.name).url).port);
  });
}

/** Starts a TCP server that answers each connection with the string from `answer`, then closes the connection. */
async function answering(address: string, port: number, answer: (caller: Socket) => string) {
  const server = createServer((socket) => socket.on('error', () => {}).end(answer(socket)));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, address, resolve);
  });
  return { stop: () => new Promise<void>((done) => server.close(() => done())) };
}

/** Starts a UDP server that answers each packet with `answer`. */
async function answeringPackets(address: string, port: number, answer: string) {
  const socket = createSocket('udp4');
  socket.on('message', (_, from) => socket.send(answer, from.port, from.address));
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).bind(port, address, resolve);
  });
  return { stop: () => new Promise<void>((done) => socket.close(() => done())) };
}

interface Given {
  readonly cloud: Oracle;
  readonly names: string;
  readonly executable: Readonly<Record<string, string>>;
}

function provision(host: BootedHost, node: ExampleNode, { cloud, names, executable }: Given): void {
  const config = { oracle: { vault: { id: cloud.vault.id } }, ...node.settings };
  const userData = exampleUserData('oracle', {
    ...executable,
    firewall: node.firewall,
    config: JSON.stringify(config),
  });
  seedCloudInit(host, { hostname: node.hostname, network: networkConfig(node), userData });
  host.write('/etc/hosts', `127.0.0.1 localhost\n127.0.1.1 ${node.hostname}\n${names}`);
  host.append('/etc/ssl/certs/ca-certificates.crt', readFileSync(cloud.caFile, 'utf8'));
  host.write('/etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
  host.write('/etc/iptables/rules.v4', imageRules);
  loadRulesAtBoot(host);
}

/** The filter table of Oracle's Ubuntu images, reduced to the rules that affect K3s, NAT and Slipway. */
const imageRules = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:InstanceServices - [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p udp -m udp --sport 123 -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
-A OUTPUT -d 169.254.0.0/16 -j InstanceServices
-A InstanceServices -d 169.254.169.254/32 -p udp -m udp --dport 53 -j ACCEPT
-A InstanceServices -d 169.254.169.254/32 -p tcp -m tcp --dport 53 -j ACCEPT
-A InstanceServices -d 169.254.169.254/32 -p tcp -m tcp --dport 80 -j ACCEPT
-A InstanceServices -d 169.254.0.0/16 -p tcp -j REJECT --reject-with tcp-reset
-A InstanceServices -d 169.254.0.0/16 -p udp -j REJECT --reject-with icmp-port-unreachable
COMMIT
`;

/** Adds a unit that loads the rules at each boot, as netfilter-persistent does in the image. */
function loadRulesAtBoot(host: BootedHost): void {
  const unit = '/etc/systemd/system/netfilter-persistent.service';
  host.write(
    unit,
    `[Unit]
DefaultDependencies=no
After=systemd-remount-fs.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/iptables-restore /etc/iptables/rules.v4
`,
  );
  const wanted = host.path('/etc/systemd/system/multi-user.target.wants/netfilter-persistent.service');
  mkdirSync(dirname(wanted), { recursive: true });
  symlinkSync(unit, wanted);
}
