import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { parse } from 'yaml';
import { etcdAt } from './k3s-etcd-client.ts';
import { type Objects, openObjects } from './k3s-objects.ts';
import { openReplica } from './k3s-replica.ts';

/**
 * Opens the objects of the cluster in a kubeconfig that the K3s stand-in wrote; rejects a kubeconfig from elsewhere. If
 * the kubeconfig is missing or the API refuses the connection, rejects with client-go's error.
 */
export async function openCluster(kubeconfig: string): Promise<Objects> {
  const text = readIfThere(kubeconfig);
  if (text === undefined) {
    throw new Error(`kubernetes configuration load failed: stat ${kubeconfig}: no such file or directory`);
  }
  const config = parse(text);
  const extension = config.extensions?.find(({ name }: { name: string }) => name === 'slipway-lab');
  const { objects: directory, etcd } = extension?.extension ?? {};
  if (typeof directory !== 'string') {
    throw new Error(`${kubeconfig} is not a kubeconfig of the lab`);
  }
  await listens(config.clusters?.[0]?.cluster?.server);
  return typeof etcd === 'string' ? openEtcd(etcd, directory) : openObjects(directory);
}

/** Opens the objects in an etcd as they are now. The process ends only after all changes are stored. */
function openEtcd(url: string, directory: string): Promise<Objects> {
  return openReplica({ ...etcdAt(url), follow: () => undefined }, directory);
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/**
 * Resolves if the API at the address in the kubeconfig accepts a connection; otherwise rejects with client-go's error.
 */
function listens(server: unknown): Promise<void> {
  const { hostname, port } = new URL(String(server));
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port || 443), hostname.replace(/^\[|\]$/g, ''), () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', () =>
      reject(new Error(`Get "${server}/api": dial tcp ${hostname}:${port}: connect: connection refused`)),
    );
  });
}
