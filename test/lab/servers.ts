/**
 * A lab with several servers and an agent: embedded etcd, a load balancer as registration address, and an emulated
 * Azure, whose storage account proves that the first server is alone. All nodes have the same settings, except the port
 * of K3s, because they share a machine; tags name the roles and the server that may found the cluster.
 */
import { randomInt } from 'node:crypto';
import type { Azure } from './azure/index.ts';
import { type Balancer, startBalancer } from './balancer.ts';
import { newSecrets } from './cluster-secrets.ts';
import { exampleConfig } from './example-settings.ts';
import { freePort } from './lab.ts';
import { labAzure, storageHost } from './lab-clouds.ts';
import { lengthened } from './limits.ts';
import { type LabOn, type RunOptions, runLab } from './running-lab.ts';

/**
 * How long a cluster with several servers may take: its first server waits five minutes for others before it founds.
 */
export const servedWithin = lengthened(900_000);

export interface ServersLab extends LabOn<Azure> {
  /** The address at which nodes register, a load balancer in front of all servers. */
  readonly registration: string;
}

/** Starts a lab with this number of servers, named server-1, server-2 and so on, and an agent. */
export async function startServersLab(count: number, options: RunOptions): Promise<ServersLab> {
  const secrets = newSecrets();
  // Each lab has its own network on loopback, in which every node has an address, as it has on a cloud.
  const network = `127.${randomInt(1, 250)}.${randomInt(1, 250)}`;
  const servers = await Promise.all(
    Array.from({ length: count }, async (_, index) => ({
      name: `server-${index + 1}`,
      host: `${network}.${index + 4}`,
      port: await freePort(),
    })),
  );
  const balanced = { host: `${network}.100`, port: await freePort() };
  const registration = `https://${balanced.host}:${balanced.port}`;
  const tags = { 'k3s-server': registration };
  const vms = [
    ...servers.map(({ name, host }, index) => ({
      name,
      computerName: `vm-${name}`,
      address: host,
      tags: { ...tags, 'k3s-role': 'server', ...(index === 0 && { 'k3s-init': 'true' }) },
    })),
    {
      name: 'agent',
      computerName: 'vm-agent',
      address: `${network}.50`,
      tags: { ...tags, 'k3s-role': 'agent' },
    },
  ];
  const { cloud, settings, userData } = await labAzure(vms, secrets);
  for (const { name } of servers) {
    cloud.setRole(name, 'Storage Blob Data Contributor', storageHost);
  }
  const common = {
    network: {
      proxy: cloud.proxyUrl,
      caFile: cloud.caFile,
      noProxy: [...vms.map(({ address }) => address), balanced.host],
    },
    joinToken: { agentSecretName: 'k3s-agent-token' },
    backup: { to: `https://${storageHost}/backups` },
  };
  const k3s = { datastore: 'etcd', peers: servers.map(({ host, port }) => `https://${host}:${port}`) };
  const nodes = vms.map(({ name }) => {
    const port = servers.find((server) => server.name === name)?.port;
    const own = port === undefined ? k3s : { ...k3s, config: { 'https-listen-port': port } };
    return { name, files: exampleConfig(userData, { ...settings(name), ...common, k3s: own }) };
  });
  const balancer: Balancer = await startBalancer(balanced, servers);
  const lab = await runLab(options, { cloud, secrets, nodes });
  return {
    ...lab,
    registration,
    stop: async () => {
      await lab.stop();
      await balancer.stop();
    },
  };
}
