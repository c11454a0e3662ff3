import type { FluxObject } from '../../../../../src/agent/gitops/flux/flux-objects.ts';
import type { MemoryApi } from '../../../../lab/memory-api.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';
import { aCluster, apiServer } from '../../a-cluster.ts';

export const revision = 'main@sha1:4f2e';

export function ready(status: 'True' | 'False' | 'Unknown', message: string): FluxObject {
  return {
    metadata: { generation: 1 },
    status: { observedGeneration: 1, conditions: [{ type: 'Ready', status, message }] },
  };
}

/** Returns a Kustomization at this path that has applied `revision`. */
export function applied(
  path = './clusters/prod',
  status = ready('True', 'Applied revision').status,
): FluxObject {
  return {
    metadata: { generation: 1 },
    spec: { path },
    status: { ...status, lastAppliedRevision: revision },
  };
}

export const fetched: FluxObject = ready('True', 'stored artifact');

export interface Api {
  readonly source?: FluxObject | undefined;
  readonly sync?: FluxObject | undefined;
  /** The number of available pods of each controller, by name. If the number is `undefined`, the status lacks it. */
  readonly controllers?: Readonly<Record<string, number | undefined>>;
  /** True by default: the cluster has the kinds of Flux. */
  readonly crds?: boolean;
  /** The version of the installed K3s; v1.36.3+k3s1 by default. */
  readonly k3s?: string;
}

/** The kinds of Flux's objects in the API. */
const kinds = {
  source: { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' },
  sync: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' },
} as const;

const resources = {
  source: 'gitrepositories.source.toolkit.fluxcd.io',
  sync: 'kustomizations.kustomize.toolkit.fluxcd.io',
} as const;

/** The URLs of Flux's objects in the API. */
export const urls = {
  source: `${apiServer}/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system`,
  sync: `${apiServer}/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system`,
} as const;

/** Returns a server whose cluster has these objects of Flux. */
export function hostWith({ source, sync, controllers = {}, crds = true, k3s }: Api): MemoryHost {
  const host = memoryHost();
  const api = aCluster(host);
  for (const name of crds ? Object.values(resources) : []) {
    const crd = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name },
    };
    api.objects.put('customresourcedefinitions.apiextensions.k8s.io', undefined, crd);
  }
  putFlux(api, { source, sync });
  for (const [name, availableReplicas] of Object.entries(controllers)) {
    api.objects.put('deployments.apps', 'flux-system', {
      ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name } },
      ...{ spec: { replicas: 1 }, status: { availableReplicas } },
    });
  }
  return host.on(
    { file: 'k3s', args: ['--version'] },
    `k3s version ${k3s ?? 'v1.36.3+k3s1'} (1a2b3c4d)\ngo version go1.24.4\n`,
  );
}

/** Puts the GitRepository and the Kustomization of Flux into the cluster. */
export function putFlux({ objects }: MemoryApi, found: Pick<Api, 'source' | 'sync'>): void {
  for (const key of ['source', 'sync'] as const) {
    const object = found[key];
    if (object !== undefined) {
      const metadata = { ...object.metadata, name: 'flux-system', namespace: 'flux-system' };
      objects.put(resources[key], 'flux-system', { ...kinds[key], ...object, metadata });
    }
  }
}
