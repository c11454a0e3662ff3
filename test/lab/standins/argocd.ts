/**
 * Argo CD on a cluster: what its chart installs, and the controller that compares and syncs Applications.
 *
 * Models the chart argo-cd 10 (CRDs, controllers with the label app.kubernetes.io/part-of) and argoproj/argo-cd 3.4:
 * controller/state.go (comparison, ComparisonError), controller/appcontroller.go (automated sync, history) and
 * util/argo/resource_tracking.go (the annotation tracking-id). Deliberately simpler: a sync takes no time, and all
 * applied objects are healthy unless the test's Git host reports another health.
 */
import { isDeepStrictEqual } from 'node:util';
import { applications, argocdCrds } from './argocd-crd.ts';
import { type Fetched, type GitHost, loginFor } from './argocd-git.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

const namespace = 'argocd';
const crds = 'customresourcedefinitions.apiextensions.k8s.io';
const deployments = 'deployments.apps';
const trackingId = 'argocd.argoproj.io/tracking-id';
const controllers = ['server', 'repo-server', 'applicationset-controller', 'redis'];

/**
 * Performs one round of Argo CD's work: installs what is missing, and reconciles every Application. If no release is
 * deployed, only removes Argo CD's Deployments. `now` is an ISO time.
 */
export function runArgocd(objects: Objects, git: GitHost, now: string): void {
  const release = deployedRelease(objects);
  if (release === undefined) {
    for (const { metadata } of ownDeployments(objects)) {
      objects.remove(deployments, namespace, metadata.name);
    }
    return;
  }
  install(objects, release);
  for (const application of objects.list(applications, namespace)) {
    reconcile(objects, git, application, now);
  }
}

/** Returns the name of the Helm release in the namespace argocd; `undefined` unless the newest revision is deployed. */
function deployedRelease(objects: Objects): string | undefined {
  const revisions = objects
    .list('secrets', namespace)
    .map(({ metadata }): Readonly<Record<string, string>> => Object(metadata.labels))
    .filter(({ owner }) => owner === 'helm')
    .toSorted((a, b) => Number(a.version) - Number(b.version));
  const newest = revisions.at(-1);
  return newest?.status === 'deployed' ? newest.name : undefined;
}

function ownDeployments(objects: Objects): readonly ApiObject[] {
  return objects
    .list(deployments, namespace)
    .filter(({ metadata }) => Object(metadata.labels)['app.kubernetes.io/part-of'] === 'argocd');
}

function install(objects: Objects, release: string): void {
  for (const crd of argocdCrds()) {
    if (objects.get(crds, undefined, crd.metadata.name) === undefined) {
      objects.put(crds, undefined, crd);
    }
  }
  for (const object of chartObjects(release)) {
    if (objects.get(deployments, namespace, object.metadata.name) === undefined) {
      objects.put(deployments, namespace, object);
    }
  }
}

/** Returns the Deployments of the chart, whose names contain the name of the release. */
function chartObjects(release: string): readonly ApiObject[] {
  const prefix = release.includes('argocd') ? release : `${release}-argocd`;
  return controllers.map((name) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: `${prefix}-${name}`,
      namespace,
      labels: { 'app.kubernetes.io/part-of': 'argocd', 'app.kubernetes.io/instance': release },
    },
    spec: { replicas: 1 },
    status: { replicas: 1, availableReplicas: 1 },
  }));
}

function reconcile(objects: Objects, git: GitHost, application: ApiObject, now: string): void {
  const status = Object(application.status);
  const { source = {}, syncPolicy = {} } = Object(application.spec);
  const sync = { comparedTo: { source, destination: Object(application.spec).destination } };
  const fetched = fetch(objects, git, source);
  if ('error' in fetched) {
    const message = `Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = ${fetched.error}`;
    put(objects, application, now, {
      ...status,
      sync: { ...sync, status: 'Unknown' },
      health: { status: 'Unknown' },
      conditions: [{ type: 'ComparisonError', message }],
    });
    return;
  }
  const { conditions: _, ...without } = status;
  const { commit, health = { status: 'Healthy' } } = fetched;
  const isAutomatic = syncPolicy.automated !== undefined && syncPolicy.automated.enabled !== false;
  const last = status.history?.at(-1)?.revision;
  if (last !== commit && !isAutomatic) {
    put(objects, application, now, {
      ...without,
      sync: { ...sync, status: 'OutOfSync', revision: commit },
      health,
    });
    return;
  }
  apply(objects, application, fetched.folders[source.path ?? ''] ?? []);
  const entry = { id: status.history?.length ?? 0, revision: commit, source, deployedAt: now };
  put(objects, application, now, {
    ...without,
    sync: { ...sync, status: 'Synced', revision: commit },
    health,
    operationState: {
      phase: 'Succeeded',
      message: 'successfully synced (all tasks run)',
      operation: {},
      startedAt: status.operationState?.startedAt ?? now,
    },
    history: last === commit ? status.history : [...(status.history ?? []), entry],
  });
}

function fetch(
  objects: Objects,
  git: GitHost,
  { repoURL = '', targetRevision = 'HEAD', path = '', chart }: Readonly<Record<string, string>>,
): Fetched | { readonly error: string } {
  if (chart === 'argo-cd') {
    return { commit: targetRevision, folders: { '': chartObjects(deployedRelease(objects) ?? '') } };
  }
  const fetched = git.fetch(repoURL, targetRevision, loginFor(objects, namespace, repoURL));
  return 'error' in fetched || path in fetched.folders
    ? fetched
    : { error: `${path}: app path does not exist` };
}

/** Applies the objects of a folder, each annotated with the tracking ID of the Application. */
function apply(
  objects: Objects,
  { metadata: { name: owner } }: ApiObject,
  found: readonly ApiObject[],
): void {
  for (const object of found) {
    const { apiVersion, kind, metadata } = object;
    const group = apiVersion.includes('/') ? `${apiVersion.split('/')[0]}` : '';
    const mark = `${owner}:${group}/${kind}:${namespace}/${metadata.name}`;
    const resource = [`${kind.toLowerCase()}s`, group].filter(Boolean).join('.');
    const there = objects.get(resource, namespace, metadata.name);
    const annotations = { ...Object(there?.metadata.annotations), [trackingId]: mark };
    const made = { ...there, ...object, metadata: { ...there?.metadata, ...metadata, annotations } };
    if (!isDeepStrictEqual(there, made)) {
      objects.put(resource, namespace, made);
    }
  }
}

/** Writes the status, unless only `reconciledAt` differs. */
function put(objects: Objects, application: ApiObject, now: string, status: object): void {
  const before = Object(application.status);
  if (!isDeepStrictEqual({ ...before, reconciledAt: now }, { ...status, reconciledAt: now })) {
    objects.put(applications, namespace, { ...application, status: { ...status, reconciledAt: now } });
  }
}
