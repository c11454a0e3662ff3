/**
 * K3s's helm-controller: installs, upgrades and uninstalls HelmCharts.
 *
 * Models pkg/controllers/chart/chart.go of helm-controller: the annotations managed-by and unmanaged, the job and its
 * config hash, the status, the replacement of a job, the finalizer and the helm-delete job. A HelmChart that is deleted
 * while it is unmanaged keeps its finalizer forever. Deliberately simpler: a job is not created suspended, its hash
 * differs from K3s's, and uninstalling takes one step.
 */
import { updatedBy } from './k3s-apply.ts';
import {
  changed,
  conditionOf,
  createJob,
  type HelmWorld,
  hashOfJob,
  removePods,
  runJob,
} from './k3s-helm-job.ts';
import { charts, configHash, hashKey, releases, spaceOf } from './k3s-helm-release.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';

const finalizer = 'wrangler.cattle.io/on-helm-chart-remove';

/** Takes the next step for each HelmChart; returns true if anything changed. */
export function reconcileCharts(world: HelmWorld): boolean {
  const steps = world.objects.list(charts).map((chart) => reconcileChart(world, chart));
  return steps.includes(true);
}

function reconcileChart(world: HelmWorld, chart: ApiObject): boolean {
  const { objects } = world;
  const annotations = Object(chart.metadata.annotations);
  if ('helmcharts.helm.cattle.io/unmanaged' in annotations) {
    return false;
  }
  if (chart.metadata.deletionTimestamp !== undefined) {
    return uninstalled(objects, chart);
  }
  if (annotations['helmcharts.cattle.io/managed-by'] === undefined) {
    const { apiVersion, kind, metadata } = chart;
    const claim = {
      apiVersion,
      kind,
      metadata: {
        ...{ name: metadata.name, namespace: metadata.namespace, finalizers: [finalizer] },
        annotations: { 'helmcharts.cattle.io/managed-by': 'helm-controller' },
      },
    };
    const claimed = updatedBy('deploy@vm-server', chart, claim);
    objects.put(charts, spaceOf(chart), { ...claimed, spec: asGoWrites(Object(claimed.spec)) });
    return true;
  }
  return installed(world, chart);
}

function installed(world: HelmWorld, chart: ApiObject): boolean {
  const { objects } = world;
  const { name } = chart.metadata;
  const job = objects.get('jobs.batch', spaceOf(chart), `helm-install-${name}`);
  const hash = configHash(objects, chart);
  if (job === undefined) {
    return createJob(world, chart, hash, '');
  }
  const done = conditionOf(job, 'Complete') !== undefined;
  const newest = releases(objects, chart).at(-1);
  const labels = Object(newest?.metadata.labels);
  const isCurrent = labels.status === 'deployed' && labels[hashKey] === hash.slice(0, 63);
  if (hashOfJob(job) !== hash || (done && !isCurrent)) {
    removePods(objects, job);
    return createJob(world, chart, hash, String(job.metadata.uid));
  }
  if (conditionOf(job, 'Failed') !== undefined) {
    return noteFailure(objects, chart);
  }
  return done ? false : runJob(world, chart, job, hash);
}

/**
 * Returns a spec as K3s's Go type writes it: without fields that are false or empty, and with the timeout in Go's
 * format.
 */
function asGoWrites(spec: Readonly<Record<string, unknown>>): object {
  const fields = Object.entries(spec).filter(([, value]) => value !== false && value !== '');
  return Object.fromEntries(
    fields.map(([field, value]) => [field, field === 'timeout' ? goDuration(String(value)) : value]),
  );
}

function goDuration(text: string): string {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1 };
  const parts = [...text.matchAll(/(\d+)([hms])/g)];
  const seconds = parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0), 0);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`;
}

function noteFailure(objects: Objects, chart: ApiObject): boolean {
  const message = 'Job has reached configured number of retries without succeeding';
  const [created] = Object(chart.status).conditions ?? [];
  const conditions = [created, { type: 'Failed', status: 'True', reason: 'Job failed', message }];
  return changed(objects, charts, spaceOf(chart), {
    ...chart,
    status: { ...Object(chart.status), conditions },
  });
}

/**
 * Uninstalls the release: removes its Secrets, the job, the Secret with the values and the HelmChart. Returns true if
 * the HelmChart existed.
 */
function uninstalled(objects: Objects, chart: ApiObject): boolean {
  const { name } = chart.metadata;
  const namespace = spaceOf(chart);
  for (const { metadata } of releases(objects, chart)) {
    objects.remove('secrets', String(metadata.namespace), metadata.name);
  }
  const job = objects.get('jobs.batch', namespace, `helm-install-${name}`);
  if (job !== undefined) {
    removePods(objects, job);
  }
  objects.remove('jobs.batch', namespace, `helm-install-${name}`);
  objects.remove('secrets', namespace, `chart-values-${name}`);
  return objects.remove(charts, namespace, name);
}
