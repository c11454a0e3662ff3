/**
 * The releases of HelmCharts, as helm keeps them in Secrets, and the hash of what a HelmChart installs.
 *
 * Models helm 3 (pkg/storage/driver: names and labels of the Secrets) and hashObjects of helm-controller.
 */
import { createHash } from 'node:crypto';
import type { ApiObject, Objects } from './k3s-objects.ts';

/** The resource of HelmCharts. */
export const charts = 'helmcharts.helm.cattle.io';

/**
 * The key of a job's annotation and of a release's label. The value is the hash of what they install; the label
 * contains the first 63 characters.
 */
export const hashKey = 'helmcharts.helm.cattle.io/configHash';

/** Returns the namespace of an object. */
export function spaceOf({ metadata }: ApiObject): string {
  return String(metadata.namespace);
}

/**
 * Adds a revision with this status to the release of a HelmChart, and marks a deployed revision as superseded. Creates
 * the target namespace if the HelmChart requests that.
 */
export function newRelease(objects: Objects, chart: ApiObject, status: string, hash: string): void {
  const { name } = chart.metadata;
  const namespace = String(Object(chart.spec).targetNamespace ?? chart.metadata.namespace);
  if (Object(chart.spec).createNamespace && objects.get('namespaces', undefined, namespace) === undefined) {
    const metadata = { name: namespace };
    objects.put('namespaces', undefined, { apiVersion: 'v1', kind: 'Namespace', metadata });
  }
  const before = releases(objects, chart);
  for (const each of before.filter(({ metadata }) => Object(metadata.labels).status === 'deployed')) {
    const labels = { ...Object(each.metadata.labels), status: 'superseded' };
    objects.put('secrets', namespace, { ...each, metadata: { ...each.metadata, labels } });
  }
  const version = String(before.length + 1);
  const labels = { owner: 'helm', name, status, version, [hashKey]: hash.slice(0, 63) };
  objects.put('secrets', namespace, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `sh.helm.release.v1.${name}.v${version}`, namespace, labels },
    type: 'helm.sh/release.v1',
  });
}

/** Returns the revisions of a HelmChart's release, oldest first. */
export function releases(objects: Objects, { metadata, spec }: ApiObject): readonly ApiObject[] {
  const namespace = String(Object(spec).targetNamespace ?? metadata.namespace);
  const isOurs = ({ metadata: { labels } }: ApiObject) =>
    Object(labels).owner === 'helm' && Object(labels).name === metadata.name;
  return objects
    .list('secrets', namespace)
    .filter(isOurs)
    .toSorted((a, b) => revision(a) - revision(b));
}

function revision({ metadata }: ApiObject): number {
  return Number(Object(metadata.labels).version);
}

/**
 * Returns a hash of everything that the job installs: the specs of the HelmChart and its HelmChartConfig, and the data
 * of the Secrets in valuesSecrets, except those with ignoreUpdates.
 */
export function configHash(objects: Objects, { metadata, spec }: ApiObject): string {
  const namespace = String(metadata.namespace);
  const config = objects.get('helmchartconfigs.helm.cattle.io', namespace, metadata.name)?.spec;
  const secrets: readonly { readonly name: string; readonly ignoreUpdates?: boolean }[] =
    Object(spec).valuesSecrets ?? [];
  const data = secrets
    .filter(({ ignoreUpdates }) => !ignoreUpdates)
    .map(({ name }) => objects.get('secrets', namespace, name)?.data);
  return createHash('sha256')
    .update(JSON.stringify([sorted(spec), sorted(config), data]))
    .digest('hex')
    .toUpperCase();
}

function sorted(spec: unknown): readonly unknown[] {
  return Object.entries(Object(spec)).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
