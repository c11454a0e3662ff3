import { nodePaths } from '../../../src/agent/paths.ts';
import { type MemoryApi, serveMemoryApi } from '../../lab/memory-api.ts';
import type { MemoryHost } from '../../lab/memory-host.ts';
import { issue, makeAuthority } from '../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../lab/standins/k3s-kubeconfig.ts';
import type { ApiObject } from '../../lab/standins/k3s-objects.ts';

/** The address of the API in the kubeconfigs of `aCluster`. */
export const apiServer = 'https://127.0.0.1:6443';

const { k3s } = nodePaths('/');
const authority = makeAuthority('k3s-client-ca');
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });
const kubelet = issue(authority, { commonName: 'system:node:vm-1', organization: 'system:nodes' });

/**
 * Adds a cluster to a host that has joined it as `vm-1`: the kubeconfigs of kubelet and the admin, and the API behind
 * them, with the namespaces of a new cluster. The API does not have the Node yet.
 */
export function aCluster(host: MemoryHost): MemoryApi {
  writeKubeconfigs(host);
  return serveCluster(host);
}

/** Writes the kubeconfigs of the admin and of kubelet, as K3s does when it starts. */
export function writeKubeconfigs({ files }: MemoryHost): void {
  const ca = authority.certificate;
  files.write(k3s.kubeconfig, kubeconfig({ server: apiServer, ca, ...admin }), 0o600);
  files.write(k3s.kubeletKubeconfig, kubeconfig({ server: apiServer, ca, ...kubelet }), 0o600);
}

/** Serves the API behind the kubeconfigs. */
export function serveCluster(host: MemoryHost): MemoryApi {
  const api = serveMemoryApi(host, apiServer, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
    [kubelet.certificate]: { name: 'system:node:vm-1', groups: ['system:nodes'] },
  });
  for (const name of ['default', 'kube-system', 'kube-node-lease']) {
    api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return api;
}

/** Puts the Node `vm-1` with these fields into the cluster. */
export function putNode({ objects }: MemoryApi, { metadata, ...fields }: Partial<ApiObject> = {}): ApiObject {
  const node = { apiVersion: 'v1', kind: 'Node', ...fields, metadata: { ...metadata, name: 'vm-1' } };
  return objects.put('nodes', undefined, node);
}
