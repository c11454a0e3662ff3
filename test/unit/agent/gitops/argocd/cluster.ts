import { nodePaths } from '../../../../../src/agent/paths.ts';
import { type MemoryApi, serveMemoryApi } from '../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { argocdCrds } from '../../../../lab/standins/argocd-crd.ts';
import { issue, makeAuthority } from '../../../../lab/standins/k3s-certificates.ts';
import { kubeconfig } from '../../../../lab/standins/k3s-kubeconfig.ts';
import type { ApiObject } from '../../../../lab/standins/k3s-objects.ts';

const server = 'https://127.0.0.1:6443';
const authority = makeAuthority('k3s-server-ca@1700000000');
const admin = issue(authority, { commonName: 'system:admin', organization: 'system:masters' });

/** Returns a machine, and its Kubernetes API, which accepts the admin and has the namespaces argocd and kube-system. */
export function clusterHost(): { readonly host: MemoryHost; readonly api: MemoryApi } {
  const host = memoryHost();
  const { k3s } = nodePaths('/');
  host.files.write(k3s.kubeconfig, kubeconfig({ server, ca: authority.certificate, ...admin }), 0o600);
  const api = serveMemoryApi(host, server, {
    [admin.certificate]: { name: 'system:admin', groups: ['system:masters'] },
  });
  for (const name of ['argocd', 'kube-system']) {
    api.objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }
  return { host, api };
}

/** Adds Argo CD's CRDs to the cluster. */
export function withCrds({ objects }: MemoryApi): void {
  for (const crd of argocdCrds()) {
    objects.put('customresourcedefinitions.apiextensions.k8s.io', undefined, crd);
  }
}

const source = {
  repoURL: 'https://github.com/acme/fleet.git',
  targetRevision: 'main',
  path: 'clusters/prod',
};

/**
 * Creates the root Application as a person would, with this status. `changes` replaces fields of its source, and `spec`
 * fields of its spec.
 */
export function putRoot(
  { objects }: MemoryApi,
  status: object,
  changes: object = {},
  spec: object = {},
): void {
  const root: ApiObject = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'root', namespace: 'argocd' },
    spec: { source: { ...source, ...changes }, syncPolicy: { automated: {} }, ...spec },
    status,
  };
  objects.put('applications.argoproj.io', 'argocd', root);
}

export const synced = {
  sync: { status: 'Synced', revision: '4f2e', comparedTo: { source } },
  health: { status: 'Healthy' },
  history: [{ id: 0, revision: '4f2e' }],
};
