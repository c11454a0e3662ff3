import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath, objectPath } from '../../kubernetes/object-path.ts';
import { chartNamespace } from './chart-object.ts';

/** The annotation and the label with the hash of everything that a job installs (helm-controller, KeyConfigHash). */
const configHash = 'helmcharts.helm.cattle.io/configHash';

const installJob = z.object({
  metadata: z.object({ uid: z.string(), creationTimestamp: z.string() }),
  spec: z.object({
    template: z.object({
      metadata: z.optional(z.object({ annotations: z.nullish(z.record(z.string(), z.string())) })),
    }),
  }),
  status: z.optional(
    z.object({
      conditions: z.nullish(
        z.array(z.object({ type: z.string(), status: z.string(), message: z.optional(z.string()) })),
      ),
    }),
  ),
});

/** The job by which K3s installs or upgrades a chart. */
export type InstallJob = z.output<typeof installJob>;

/** Returns the name of the job that installs or upgrades a chart. */
export function jobName(chart: string): string {
  return `helm-install-${chart}`;
}

/**
 * Reads the job that installs or upgrades a chart; `undefined` if K3s has not created it. Throws the errors of
 * `readApi`.
 */
export async function readJob(
  host: HostReader,
  access: ApiAccess,
  chart: string,
): Promise<InstallJob | undefined> {
  const path = objectPath({
    apiVersion: 'batch/v1',
    resource: 'jobs',
    namespace: chartNamespace,
    name: jobName(chart),
  });
  return readApi(host, access, path, installJob);
}

interface JobCondition {
  readonly message?: string | undefined;
}

/** Returns the job's condition of this type, such as `Complete`, if its status is True; otherwise `undefined`. */
export function jobCondition({ status }: InstallJob, type: string): JobCondition | undefined {
  return status?.conditions?.find((each) => each.type === type && each.status === 'True');
}

/**
 * Returns the hash that a job gives its release as a label: the text after `SHA256=`, cut to the 63 characters of a
 * label; `undefined` if the job has no hash.
 */
export function hashOf({ spec }: InstallJob): string | undefined {
  const annotation = spec.template.metadata?.annotations?.[configHash];
  return annotation?.replace(/^[^=]*=/, '').slice(0, 63);
}

/** A revision of a release, read from the labels of the Secret where helm stores the revision. */
export interface Release {
  readonly revision: number;
  readonly status: string;
  /** The hash of the job that made this revision; `undefined` if this release of K3s does not record it. */
  readonly hash: string | undefined;
}

const releaseSecret = z.object({
  metadata: z.object({ labels: z.nullish(z.record(z.string(), z.string())) }),
});

/**
 * Reads the newest revision of a release from metadata only; `undefined` if none exists. Throws the errors of
 * `readApi`.
 */
export async function readRelease(
  host: HostReader,
  access: ApiAccess,
  namespace: string,
  name: string,
): Promise<Release | undefined> {
  const path = listPath({ apiVersion: 'v1', resource: 'secrets', namespace }, { owner: 'helm', name });
  const found = await readList(host, access, path, releaseSecret, 'listMetadata');
  const revisions = found.map(({ metadata: { labels } }) => ({
    revision: Number(labels?.version),
    status: labels?.status ?? 'unknown',
    hash: labels?.[configHash],
  }));
  const numbered = revisions.filter(({ revision }) => Number.isInteger(revision));
  return numbered.toSorted((a, b) => a.revision - b.revision).at(-1);
}
