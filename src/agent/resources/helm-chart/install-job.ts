import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi, readList } from '../../kubernetes/api.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
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

/** Reads the job that installs or upgrades a chart; `undefined` if K3s has not created it. Throws as `readApi`. */
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

/** Returns the condition of a job if it is True, such as `Complete`; otherwise `undefined`. */
export function jobCondition({ status }: InstallJob, type: string): JobCondition | undefined {
  return status?.conditions?.find((each) => each.type === type && each.status === 'True');
}

/**
 * Returns the hash that a job gives its release as a label: the text after `SHA256=`, cut to the 63 characters of a
 * label.
 */
export function hashOf({ spec }: InstallJob): string | undefined {
  const annotation = spec.template.metadata?.annotations?.[configHash];
  return annotation?.replace(/^[^=]*=/, '').slice(0, 63);
}

/** A revision of a release, from the labels of the Secret in which helm keeps it. */
export interface Release {
  readonly revision: number;
  readonly status: string;
  /** The hash of the job that made this revision; absent in releases of K3s that do not record it. */
  readonly hash: string | undefined;
}

const releaseSecret = z.object({
  metadata: z.object({ labels: z.nullish(z.record(z.string(), z.string())) }),
});

/** Reads the newest revision of a release; `undefined` if none exists. Reads only metadata. Throws as `readApi`. */
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
  return revisions.toSorted((a, b) => a.revision - b.revision).at(-1);
}
