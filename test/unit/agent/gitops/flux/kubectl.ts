import type { FluxObject } from '../../../../../src/agent/gitops/flux/flux-objects.ts';
import { type MemoryHost, memoryHost } from '../../../../lab/memory-host.ts';

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
  readonly source?: FluxObject | { readonly stderr: string };
  readonly sync?: FluxObject | { readonly stderr: string };
  /** The number of available pods of each controller, by name. If the number is `undefined`, the status lacks it. */
  readonly controllers?: Readonly<Record<string, number | undefined>>;
  /** The version of the installed K3s; v1.36.3+k3s1 by default. */
  readonly k3s?: string;
}

/** Returns a host whose kubectl prints these objects or errors, and the real NotFound error for a missing object. */
export function hostWith({ source, sync, controllers = {}, k3s = 'v1.36.3+k3s1' }: Api): MemoryHost {
  const kinds = {
    'gitrepositories.source.toolkit.fluxcd.io': source,
    'kustomizations.kustomize.toolkit.fluxcd.io': sync,
  };
  const host = memoryHost()
    .on({ file: 'k3s', args: ['--version'] }, `k3s version ${k3s} (1a2b3c4d)\ngo version go1.24.4\n`)
    .on({ file: 'k3s', args: (args) => args.includes('deployments.apps') }, deployments(controllers));
  for (const [kind, found] of Object.entries(kinds)) {
    host.on({ file: 'k3s', args: (args) => args.includes(kind) }, () => answer(kind, found));
  }
  return host;
}

function deployments(controllers: NonNullable<Api['controllers']>): string {
  const items = Object.entries(controllers).map(([name, availableReplicas]) => ({
    metadata: { name },
    spec: { replicas: 1 },
    status: { availableReplicas },
  }));
  return JSON.stringify({ items });
}

function answer(kind: string, found: Api['source']) {
  if (found === undefined) {
    return { exitCode: 1, stderr: `Error from server (NotFound): ${kind} "flux-system" not found\n` };
  }
  return 'stderr' in found ? { exitCode: 1, ...found } : JSON.stringify(found);
}
