/**
 * The lab: an emulated cloud, a release mirror, and nodes that run the executable under test, all on loopback. One
 * folder contains the roots of all nodes. Needs neither root rights nor systemd nor a network.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Azure } from './azure/index.ts';
import { type ClusterSecrets, gitHostKnows, newSecrets } from './cluster-secrets.ts';
import { type LabCloud, type LabVm, labAzure, labOracle, type StartedCloud } from './lab-clouds.ts';
import { type Mirror, startMirror } from './mirror.ts';
import { LabNode } from './node.ts';
import type { Oracle } from './oracle/index.ts';
import { Processes } from './processes.ts';

export { loginServer, provenImage, vaultName } from './lab-clouds.ts';

export type LabRole = 'server' | 'agent' | 'observability';

export interface LabOptions {
  /** The folder that contains all roots; deleted and created again for each lab. */
  readonly dir: string;
  /** The command under test: a program and its first arguments. */
  readonly executable: readonly [string, ...string[]];
  /** The role of each node, which is also the name of the node; all three by default. */
  readonly nodes?: readonly LabRole[];
  /** The initial lifetime of registry passwords, in milliseconds; three hours by default. */
  readonly passwordLife?: number;
  readonly k3sVersions?: readonly string[];
  /** Additional settings of every node, merged at the top level. */
  readonly settings?: object;
  /** Called with each line that a daemon logs. */
  readonly onLog?: (node: string, line: string) => void;
}

/** A lab on Azure. */
export interface Lab extends LabOn<Azure> {
  readonly azure: Azure;
}

/** A lab on one of the emulated clouds. */
export interface LabOn<Cloud extends LabCloud> {
  readonly cloud: Cloud;
  readonly mirror: Mirror;
  readonly nodes: readonly LabNode[];
  /**
   * The secrets of the cluster that must not leak, by kind. They do not include the tokens of the cloud and of its
   * registries, which `canaries` of the emulated cloud returns.
   */
  readonly secrets: ClusterSecrets;
  node(role: LabRole): LabNode;
  /** Starts all daemons at once. */
  start(): void;
  /** Resolves when every node is Ready; rejects after three minutes with each node's unmet conditions. */
  waitReady(): Promise<void>;
  /** The lifetime of registry passwords that are issued from now on, in milliseconds. */
  passwordLife: number;
  /** Resolves to the registry passwords once every node has one. */
  passwords(): Promise<Passwords>;
  /** Resolves to the registry passwords once every node has one that differs from `before`. */
  rotated(before: Passwords, timeout?: number): Promise<Passwords>;
  /** Stops the nodes, the release mirror and the emulated cloud; the folder of the lab stays. */
  stop(): Promise<void>;
}

/** The text of each node's registries.yaml, by the name of the node. */
export type Passwords = Readonly<Record<string, string>>;

/** Starts a lab on Azure. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const lab = await startOn(options, labAzure);
  return Object.assign(lab, { azure: lab.cloud });
}

/** Starts a lab on Oracle Cloud. */
export function startOracleLab(options: LabOptions): Promise<LabOn<Oracle>> {
  return startOn(options, labOracle);
}

async function startOn<Cloud extends LabCloud>(
  options: LabOptions,
  startCloud: (vms: readonly LabVm[], secrets: ClusterSecrets) => Promise<StartedCloud<Cloud>>,
): Promise<LabOn<Cloud>> {
  const { dir, nodes: roles = ['server', 'agent', 'observability'] } = options;
  rmSync(dir, { recursive: true, force: true });
  const secrets = newSecrets();
  const port = await freePort();
  const { cloud, settings } = await startCloud(
    roles.map((role, index) => vm(role, index, port)),
    secrets,
  );
  if (options.passwordLife !== undefined) {
    cloud.registry().tokenLifetime = options.passwordLife;
  }
  const mirror = await startMirror(cloud, options.k3sVersions ? { k3sVersions: options.k3sVersions } : {});
  const sockets = mkdtempSync(join(tmpdir(), 'slipway-lab-'));
  const processes = new Processes();
  const nodes = roles.map(
    (role) =>
      new LabNode({
        name: role,
        root: join(dir, role),
        socket: join(sockets, `${role}.sock`),
        executable: options.executable,
        settings: { ...settings(role), ...nodeSettings(cloud, role, port), ...options.settings },
        processes,
        ...(options.onLog ? { onLog: options.onLog } : {}),
      }),
  );
  await Promise.all(nodes.map((node) => node.prepare()));
  for (const node of nodes) {
    if (node.name === 'server') {
      gitHostKnows(secrets, node);
    }
  }
  return {
    cloud,
    mirror,
    nodes,
    secrets,
    node: (role) => {
      const found = nodes.find(({ name }) => name === role);
      if (!found) {
        throw new Error(`The lab has no ${role}.`);
      }
      return found;
    },
    start: () => {
      for (const node of nodes) {
        node.start();
      }
    },
    waitReady: () => waitReady(nodes),
    get passwordLife() {
      return cloud.registry().tokenLifetime;
    },
    set passwordLife(life) {
      cloud.registry().tokenLifetime = life;
    },
    passwords: async () => {
      const all = () => nodes.every((node) => passwordsOf(node) !== undefined);
      await until(120_000, all, 'no registry passwords');
      return passwordsOfAll(nodes);
    },
    rotated: async (before, timeout = 180_000) => {
      const all = () => nodes.every((node) => passwordsOf(node) !== before[node.name]);
      await until(timeout, all, 'no rotation');
      return passwordsOfAll(nodes);
    },
    stop: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      await Promise.all([mirror.stop(), cloud.stop()]);
      rmSync(sockets, { recursive: true, force: true });
    },
  };
}

function vm(role: LabRole, index: number, port: number): LabVm {
  const server = { 'k3s-server': `https://127.0.0.1:${port}` };
  return {
    name: role,
    computerName: `vm-${role}`,
    address: `10.0.1.${index + 4}`,
    tags: { 'k3s-role': role, ...(role === 'server' ? {} : server) },
  };
}

function nodeSettings(cloud: LabCloud, role: LabRole, port: number): object {
  const onServer = {
    k3s: { config: { 'https-listen-port': port } },
    gitops: {
      engine: 'flux',
      flux: {
        provider: 'github',
        owner: 'slipway',
        repository: 'fleet',
        path: 'clusters/lab',
        personal: true,
      },
    },
  };
  return {
    network: { proxy: cloud.proxyUrl, caFile: cloud.caFile },
    joinToken: { agentSecretName: 'k3s-agent-token' },
    ...(role === 'server' ? onServer : {}),
  };
}

function passwordsOf(node: LabNode): string | undefined {
  return node.read('etc/rancher/k3s/registries.yaml');
}

function passwordsOfAll(nodes: readonly LabNode[]): Passwords {
  return Object.fromEntries(nodes.map((node) => [node.name, passwordsOf(node) ?? '']));
}

async function waitReady(nodes: readonly LabNode[]): Promise<void> {
  await until(180_000, () => nodes.every((node) => node.isReady)).catch((error) => {
    throw new Error(`${error.message}\n${nodes.map(waitsFor).join('\n')}`);
  });
}

async function until(timeout: number, happened: () => boolean, otherwise = 'not Ready'): Promise<void> {
  for (const end = Date.now() + timeout; !happened(); await sleep(50)) {
    if (Date.now() > end) {
      throw new Error(`After ${timeout / 1000} s: ${otherwise}.`);
    }
  }
}

function waitsFor(node: LabNode): string {
  const conditions = node.status()?.conditions ?? [];
  const open = conditions.filter(({ status }) => status !== 'True');
  const lines = open.map(({ type, status, reason, message }) => `  ${type} ${status} ${reason}: ${message}`);
  return [`${node.name}:`, ...lines, ...node.log.slice(-5).map((line) => `  log: ${line}`)].join('\n');
}

/**
 * Resolves to an unused loopback port below those that Linux gives to outgoing connections
 * (net.ipv4.ip_local_port_range), so that no such connection takes the port before the caller does.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(12_000, 32_000);
  return (await isFree(port)) ? port : freePort();
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
