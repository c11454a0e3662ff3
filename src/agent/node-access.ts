import type { HostReader } from './engine/host.ts';
import { type ApiAccess, readKubeconfig } from './kubernetes/kubeconfig.ts';
import { isServer, type K3sNode } from './node.ts';

/**
 * Returns the access with kubelet's rights, which every node has: to its own Node except the taints, to the pods bound
 * to this Node, and to events. Throws `ApiUnavailable` before the first start of K3s.
 */
export function kubeletAccess(host: HostReader, { paths }: Pick<K3sNode, 'paths'>): Promise<ApiAccess> {
  return readKubeconfig(host, paths.k3s.kubeletKubeconfig);
}

/**
 * Returns the access with the broadest rights that this node has: the admin's on a server, kubelet's on an agent.
 * Throws `ApiUnavailable` before the first start of K3s.
 */
export function nodeAccess(host: HostReader, node: Pick<K3sNode, 'role' | 'paths'>): Promise<ApiAccess> {
  return isServer(node) ? readKubeconfig(host, node.paths.k3s.kubeconfig) : kubeletAccess(host, node);
}
