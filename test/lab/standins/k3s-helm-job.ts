/**
 * The job of a HelmChart and its pod, which runs helm.
 *
 * Models job() of pkg/controllers/chart/chart.go (names, labels, annotation with the hash) and kubelet's status of a
 * container that fails (restartPolicy OnFailure). Only two failures of a container are counted.
 */
import { createHash } from 'node:crypto';
import { charts, hashKey, newRelease, releases, spaceOf } from './k3s-helm-release.ts';
import { type Chart, type HelmRun, runHelm } from './k3s-helm-run.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

export interface HelmWorld {
  readonly objects: Objects;
  /** The current time in the format of RFC 3339. */
  readonly now: string;
  /** Runs helm for a chart; `runHelm` by default. */
  readonly helm?: (chart: Chart) => HelmRun;
}

/**
 * Creates the job, its pod and the Secret for the chart's values, and records the job in the status of the HelmChart.
 * Returns true.
 */
export function createJob(
  { objects, now }: HelmWorld,
  chart: ApiObject,
  hash: string,
  before: string,
): boolean {
  const { name } = chart.metadata;
  const namespace = spaceOf(chart);
  const jobName = `helm-install-${name}`;
  const uid = createHash('sha256').update(`${before}${hash}`).digest('hex').slice(0, 32);
  const annotations = { [hashKey]: `SHA256=${hash}` };
  objects.put('jobs.batch', namespace, {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: jobName, namespace, uid, creationTimestamp: now, labels: { [chartLabel]: name } },
    spec: { backoffLimit: Object(chart.spec).backOffLimit ?? 1000, template: { metadata: { annotations } } },
    status: { active: 1 },
  });
  objects.put('pods', namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name: `${jobName}-${uid.slice(0, 5)}`, namespace, creationTimestamp: now },
      labels: {
        ...{ 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': jobName },
        ...{ 'job-name': jobName, [chartLabel]: name },
      },
    },
    status: { phase: 'Pending' },
  });
  objects.put('secrets', namespace, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `chart-values-${name}`, namespace },
    type: 'helmcharts.helm.cattle.io/values',
  });
  const message = `Applying HelmChart using Job ${namespace}/${jobName}`;
  const conditions = [
    { type: 'JobCreated', status: 'True', reason: 'Job created', message },
    { type: 'Failed', status: 'False' },
  ];
  objects.put(charts, namespace, { ...chart, status: { jobName, conditions } });
  return true;
}

const chartLabel = 'helmcharts.helm.cattle.io/chart';

/**
 * Runs helm in the pod of a job; returns true if the pod or the job has changed. Returns false if the pod is missing,
 * if helm is still running, or after the second failure.
 */
export function runJob(
  { objects, helm = runHelm }: HelmWorld,
  chart: ApiObject,
  job: ApiObject,
  hash: string,
): boolean {
  const pod = podsOf(objects, job)[0];
  if (pod === undefined) {
    return false;
  }
  const namespace = spaceOf(chart);
  const newest = releases(objects, chart).at(-1);
  const spec = Object(chart.spec);
  const isStuck = Object(newest?.metadata.labels).status === 'failed' && spec.failurePolicy === 'abort';
  const run: HelmRun = isStuck ? aborted : helm({ name: chart.metadata.name, spec });
  if (run.result === 'running') {
    return false;
  }
  if (run.result === 'waiting' || run.result === 'unschedulable') {
    return changed(objects, 'pods', namespace, { ...pod, status: podStatus(run) });
  }
  if (run.release !== undefined) {
    newRelease(objects, chart, run.release, hash);
  }
  if (run.result === 'deployed') {
    objects.put('pods', namespace, { ...pod, status: { phase: 'Succeeded' } });
    const status = { succeeded: 1, conditions: [{ type: 'Complete', status: 'True' }] };
    objects.put('jobs.batch', namespace, { ...job, status });
    return true;
  }
  const failures = Object(Object(pod.status).containerStatuses?.[0]).restartCount ?? -1;
  return failures >= 1
    ? false
    : changed(objects, 'pods', namespace, { ...pod, status: crashed(run.message, failures + 1) });
}

const aborted: HelmRun = {
  result: 'failed',
  message: "Release status is 'failed' and failure policy is 'abort'; waiting for operator intervention\n",
};

/** Stores the object if its status has changed; returns true if so. */
export function changed(objects: Objects, resource: string, namespace: string, object: ApiObject): boolean {
  const before = objects.get(resource, namespace, object.metadata.name);
  if (JSON.stringify(before?.status) === JSON.stringify(object.status)) {
    return false;
  }
  objects.put(resource, namespace, object);
  return true;
}

function podStatus(run: Extract<HelmRun, { readonly result: 'waiting' | 'unschedulable' }>): object {
  if (run.result === 'unschedulable') {
    const { message } = run;
    const place = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message };
    return { phase: 'Pending', conditions: [place] };
  }
  const { reason, message } = run;
  return {
    phase: 'Pending',
    containerStatuses: [{ restartCount: 0, state: { waiting: { reason, message } } }],
  };
}

/** Returns the status of a pod whose container has failed and will be restarted (restartPolicy OnFailure). */
function crashed(message: string, restartCount: number): object {
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container=helm' };
  const terminated = { exitCode: 1, reason: 'Error', ...(message !== '' && { message }) };
  return {
    phase: 'Running',
    containerStatuses: [{ restartCount, state: { waiting }, lastState: { terminated } }],
  };
}

/** Returns the hash in a job's annotation, which covers everything that the job installs. */
export function hashOfJob({ spec }: ApiObject): string {
  return String(Object(spec).template?.metadata?.annotations?.[hashKey]).replace('SHA256=', '');
}

/** Returns the object's condition of this type if the condition is True; otherwise `undefined`. */
export function conditionOf({ status }: ApiObject, type: string): object | undefined {
  const conditions: readonly { readonly type: string; readonly status: string }[] =
    Object(status).conditions ?? [];
  return conditions.find((each) => each.type === type && each.status === 'True');
}

function podsOf(objects: Objects, { metadata }: ApiObject): readonly ApiObject[] {
  return objects
    .list('pods', String(metadata.namespace))
    .filter((pod) => Object(pod.metadata.labels)['batch.kubernetes.io/controller-uid'] === metadata.uid);
}

/** Removes the pods of a job. */
export function removePods(objects: Objects, job: ApiObject): void {
  for (const { metadata } of podsOf(objects, job)) {
    objects.remove('pods', String(metadata.namespace), metadata.name);
  }
}
