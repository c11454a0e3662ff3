import type { Parsed } from './flux-flags.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

export const version = '2.9.4';

export const namespace = 'flux-system';
export const sources = 'gitrepositories.source.toolkit.fluxcd.io';
export const syncs = 'kustomizations.kustomize.toolkit.fluxcd.io';
export const crds = 'customresourcedefinitions.apiextensions.k8s.io';

/** The fields of the Kustomization that flux reads. */
export interface SyncObject extends ApiObject {
  readonly spec: { readonly path: string };
  readonly status?: { readonly lastAppliedRevision?: string; readonly conditions?: readonly Condition[] };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

export function syncOf(cluster: Objects): SyncObject | undefined {
  return cluster.get(syncs, namespace, namespace) as SyncObject | undefined;
}

/** Creates the namespace, the CRDs and the controllers. */
export function install(cluster: Objects, components: readonly string[]): void {
  const labels = {
    'app.kubernetes.io/instance': namespace,
    'app.kubernetes.io/part-of': 'flux',
    'app.kubernetes.io/version': `v${version}`,
  };
  cluster.put('namespaces', undefined, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels },
  });
  for (const name of [sources, syncs]) {
    cluster.put(crds, undefined, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name, labels },
    });
  }
  for (const name of components) {
    cluster.put('deployments.apps', namespace, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      status: { availableReplicas: 1, replicas: 1 },
    });
  }
}

export function sourceObject(flags: Parsed, url: string, branch: string, revision: string): ApiObject {
  const { host, pathname } = new URL(url);
  return {
    apiVersion: 'source.toolkit.fluxcd.io/v1',
    kind: 'GitRepository',
    metadata: { name: namespace, namespace, generation: 1 },
    spec: {
      interval: flags.text('interval', '1m0s'),
      ref: { branch },
      secretRef: { name: flags.text('secret-name', namespace) },
      url: flags.on('token-auth') ? url : `ssh://git@${host}${pathname.replace(/\.git$/, '')}`,
    },
    status: {
      observedGeneration: 1,
      artifact: { revision },
      conditions: [ready('Succeeded', `stored artifact for revision '${revision}'`)],
    },
  };
}

/**
 * Returns the Kustomization with the status that the controllers would set. Keeps a status that the lab made unready,
 * as after a broken commit.
 */
export function syncObject(path: string, revision: string, existing: SyncObject | undefined): ApiObject {
  const broken = existing?.status?.conditions?.some(({ status }) => status === 'False');
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: namespace, namespace, generation: 1 },
    spec: { interval: '10m0s', path, prune: true, sourceRef: { kind: 'GitRepository', name: namespace } },
    status: broken
      ? existing?.status
      : {
          observedGeneration: 1,
          lastAppliedRevision: revision,
          lastAttemptedRevision: revision,
          conditions: [ready('ReconciliationSucceeded', `Applied revision: ${revision}`)],
        },
  };
}

function ready(reason: string, message: string) {
  return { type: 'Ready', status: 'True', reason, message, lastTransitionTime: new Date().toISOString() };
}
