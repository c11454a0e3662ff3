import type { Parsed } from './flux-flags.ts';
import { applied, type FluxObject, fetched, generationOf, isStanding } from './flux-status.ts';
import type { Objects } from './k3s-objects.ts';

export const version = '2.9.4';

export const namespace = 'flux-system';
export const sources = 'gitrepositories.source.toolkit.fluxcd.io';
export const syncs = 'kustomizations.kustomize.toolkit.fluxcd.io';
export const crds = 'customresourcedefinitions.apiextensions.k8s.io';

export function syncOf(cluster: Objects): FluxObject | undefined {
  return cluster.get(syncs, namespace, namespace) as FluxObject | undefined;
}

/** Creates the namespace, the CRDs and the controllers; a controller that exists keeps its status. */
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
    const existing = cluster.get('deployments.apps', namespace, name);
    cluster.put('deployments.apps', namespace, {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name, namespace, labels },
      status: existing?.status ?? { availableReplicas: 1, replicas: 1 },
    });
  }
}

/**
 * Applies the GitRepository; source-controller fetches the revision at once, unless the existing object is suspended or
 * has failed.
 */
export function applySource(
  flags: Parsed,
  cluster: Objects,
  { url, branch, revision }: { readonly url: string; readonly branch: string; readonly revision: string },
): void {
  const { host, pathname } = new URL(url);
  const existing = cluster.get(sources, namespace, namespace) as FluxObject | undefined;
  const spec = {
    interval: flags.text('interval', '1m0s'),
    ref: { branch },
    secretRef: { name: flags.text('secret-name', namespace) },
    timeout: '60s',
    url: flags.on('token-auth') ? url : `ssh://git@${host}${pathname.replace(/\.git$/, '')}`,
  };
  const object = { apiVersion: 'source.toolkit.fluxcd.io/v1', kind: 'GitRepository' };
  cluster.put(sources, namespace, reconciled({ ...object, spec }, existing, fetched, revision));
}

/**
 * Applies the Kustomization; kustomize-controller applies the revision at once, unless the existing object is suspended
 * or has failed.
 */
export function applySync(cluster: Objects, path: string, revision: string): void {
  const spec = {
    force: false,
    interval: '10m0s',
    path,
    prune: true,
    sourceRef: { kind: 'GitRepository', name: namespace },
  };
  const object = { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', kind: 'Kustomization' };
  cluster.put(syncs, namespace, reconciled({ ...object, spec }, syncOf(cluster), applied, revision));
}

/**
 * Returns an object with the status that its controller sets; if `existing` is suspended or has failed, the status
 * stays. `spec.suspend` always stays, because flux does not apply this field.
 */
function reconciled(
  { spec, ...object }: Pick<FluxObject, 'apiVersion' | 'kind' | 'spec'>,
  existing: FluxObject | undefined,
  statusOf: typeof fetched,
  revision: string,
): FluxObject {
  const suspend = existing?.spec.suspend;
  const generation = existing === undefined ? 1 : generationOf(existing);
  return {
    ...object,
    metadata: { name: namespace, namespace, generation },
    spec: { ...spec, ...(suspend !== undefined && { suspend }) },
    status: existing && isStanding(existing) ? (existing.status ?? {}) : statusOf(revision, generation),
  };
}
