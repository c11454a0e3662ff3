/**
 * The lab: an emulated cloud, a release mirror, and nodes that run the executable under test, all on loopback. One
 * folder contains the roots of all nodes. The lab needs no root rights, no systemd and no network.
 */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import type { Azure } from './azure/index.ts';
import { type ClusterSecrets, gitHostKnows, newSecrets } from './cluster-secrets.ts';
import { exampleConfig } from './example-settings.ts';
import {
  type LabCloud,
  type LabVm,
  labAzure,
  labOracle,
  type RegistryCloud,
  type StartedCloud,
} from './lab-clouds.ts';
import type { Oracle } from './oracle/index.ts';
import { type LabOn, type RunOptions, runLab } from './running-lab.ts';

export { loginServer, provenImage, vaultName } from './lab-clouds.ts';
export type { LabOn, Passwords } from './running-lab.ts';

export type LabRole = 'server' | 'agent' | 'observability';

export interface LabOptions extends RunOptions {
  /** The roles of the nodes, by default all three. Each role has one node, which is named after the role. */
  readonly nodes?: readonly LabRole[];
  /** The initial lifetime of registry passwords, in milliseconds; three hours by default. */
  readonly passwordLife?: number;
  /** Additional settings for every node. Each replaces the lab's own setting with the same top-level name. */
  readonly settings?: object;
}

/** A lab on Azure. */
export interface Lab extends LabOn<Azure> {
  readonly azure: Azure;
}

/** Starts a lab on Azure. */
export async function startLab(options: LabOptions): Promise<Lab> {
  const lab = await startOn(options, labAzure);
  return { ...lab, azure: lab.cloud };
}

/** Starts a lab on Oracle Cloud. */
export function startOracleLab(options: LabOptions): Promise<LabOn<Oracle>> {
  return startOn(options, labOracle);
}

async function startOn<Cloud extends RegistryCloud>(
  options: LabOptions,
  startCloud: (vms: readonly LabVm[], secrets: ClusterSecrets) => Promise<StartedCloud<Cloud>>,
): Promise<LabOn<Cloud>> {
  const { nodes: roles = ['server', 'agent', 'observability'], passwordLife } = options;
  const secrets = newSecrets();
  const port = await freePort();
  const { cloud, settings, userData } = await startCloud(
    roles.map((role, index) => vm(role, index, port)),
    secrets,
  );
  if (passwordLife !== undefined) {
    cloud.registry().tokenLifetime = passwordLife;
  }
  const nodes = roles.map((role) => ({
    name: role,
    files: exampleConfig(userData, {
      ...settings(role),
      ...nodeSettings(cloud, role, port),
      ...options.settings,
    }),
  }));
  const lab = await runLab(options, { cloud, secrets, nodes });
  if (roles.includes('server')) {
    gitHostKnows(secrets, lab.node('server'));
  }
  return lab;
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
    workloads: { secrets: { 'cert-manager/cloudflare': { keys: { 'api-token': 'cloudflare-token' } } } },
  };
  return {
    network: { proxy: cloud.proxyUrl, caFile: cloud.caFile },
    joinToken: { agentSecretName: 'k3s-agent-token' },
    ...(role === 'server' ? onServer : {}),
  };
}

/**
 * Resolves to an unused loopback port. The port is below the range for outgoing connections
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
