import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { type ObjectKind, objectPath } from '../../kubernetes/object-path.ts';
import type { ArgocdSettings } from './settings.ts';

/** The namespace of Argo CD. */
export const argocdNamespace = 'argocd';
/** The name of the root Application, which follows this cluster's folder in the repository. */
export const rootName = 'root';

export const applicationKind = {
  apiVersion: 'argoproj.io/v1alpha1',
  resource: 'applications',
} as const satisfies ObjectKind;

/** The path of the root Application in the API. */
export const rootPath = objectPath({ ...applicationKind, namespace: argocdNamespace, name: rootName });

const text = z.nullish(z.string());
const source = z.nullish(z.object({ repoURL: text, path: text, targetRevision: text }));
const judged = z.nullish(z.object({ status: text, message: text }));
const owned = z.record(z.string(), z.unknown());

/** The part of an Application that Slipway reads (argoproj/argo-cd manifests/crds). The API may omit any field. */
const applicationSchema = z.object({
  metadata: z.object({
    deletionTimestamp: text,
    managedFields: z.nullish(
      z.array(z.object({ manager: text, operation: text, fieldsV1: z.nullish(owned) })),
    ),
  }),
  spec: z.nullish(
    z.object({
      source,
      syncPolicy: z.nullish(
        z.object({ automated: z.nullish(z.object({ enabled: z.nullish(z.boolean()) })) }),
      ),
    }),
  ),
  status: z.nullish(
    z.object({
      sync: z.nullish(
        z.object({ status: text, revision: text, comparedTo: z.nullish(z.object({ source })) }),
      ),
      health: judged,
      operationState: z.nullish(z.object({ phase: text, message: text })),
      history: z.nullish(z.array(z.object({ revision: text }))),
      conditions: z.nullish(z.array(z.object({ type: z.string(), message: text }))),
      resources: z.nullish(z.array(z.object({ kind: text, namespace: text, name: text, health: judged }))),
    }),
  ),
});

export type Application = z.output<typeof applicationSchema>;
export type ApplicationStatus = NonNullable<Application['status']>;
export type ApplicationSource = z.output<typeof source>;

/**
 * Reads the root Application; returns `undefined` if the Application or its kind does not exist. Throws the errors of
 * `readApi`.
 */
export function readRoot(host: HostReader, access: ApiAccess): Promise<Application | undefined> {
  return readApi(host, access, rootPath, applicationSchema);
}

/** True if the root Application exists. Reads only its metadata. Throws the errors of `readApi`. */
export async function hasRoot(host: HostReader, access: ApiAccess): Promise<boolean> {
  return (await readApi(host, access, rootPath, z.looseObject({}), 'objectMetadata')) !== undefined;
}

/**
 * Returns the root Application as JSON for server-side apply. It has no finalizer, so its deletion leaves in place
 * everything that Argo CD applied from it.
 */
export function rootApplication({ url, revision, path }: ArgocdSettings): string {
  return JSON.stringify({
    apiVersion: applicationKind.apiVersion,
    kind: 'Application',
    metadata: { name: rootName, namespace: argocdNamespace },
    spec: {
      project: 'default',
      source: { repoURL: url, targetRevision: revision, path },
      destination: { server: 'https://kubernetes.default.svc', namespace: argocdNamespace },
      syncPolicy: {
        automated: { prune: true, selfHeal: true },
        syncOptions: ['CreateNamespace=true', 'ServerSideApply=true'],
        retry: { limit: -1, backoff: { duration: '10s', factor: 2, maxDuration: '5m' } },
      },
    },
  });
}
