import { NodeError } from '../../engine/errors.ts';
import { type Finding, inSync, waiting } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import {
  chartNamespace,
  type FoundChart,
  replacesAnnotation,
  unmanagedAnnotation,
  type WishedChart,
} from './chart-object.ts';
import { hashOf, type InstallJob, jobCondition, jobName, type Release } from './install-job.ts';
import type { Hindrance } from './job-pods.ts';

/** What the API shows about a HelmChart that matches the wish. */
export interface Observed {
  readonly chart: FoundChart;
  readonly job: InstallJob | undefined;
  readonly release: Release | undefined;
  readonly hindrance: Hindrance | undefined;
}

/**
 * Helm's time limit if a chart has no `timeout`, and the extra time for what K3s does besides helm, in milliseconds.
 */
const helmTimeout = 5 * 60_000;
const aroundHelm = 5 * 60_000;

/**
 * Returns an in-sync finding if the job for the current spec is complete and its revision, the newest, is deployed, or
 * if the wish itself makes K3s ignore the HelmChart; otherwise a waiting finding. Throws `ChartFailed`, which quotes
 * the job, its pod or the release, and `ChartOwned` if K3s ignores the HelmChart although the wish does not ask for
 * this. `now` is in epoch milliseconds, and `limit` is the timeout of the chart in milliseconds.
 */
export function judgeRelease(
  wish: WishedChart,
  { chart, job, release, hindrance }: Observed,
  now: number,
  limit = helmTimeout,
): Finding {
  const { name } = wish;
  const annotations = chart.metadata.annotations ?? {};
  if (unmanagedAnnotation in annotations) {
    return unmanaged(wish);
  }
  if (job === undefined) {
    throwRefusal(name, chart);
    return waiting('ChartInProgress', `K3s has not started a job for the chart ${name} yet.`);
  }
  if (job.metadata.uid === annotations[replacesAnnotation]) {
    const again = `k3s kubectl delete job -n ${chartNamespace} ${jobName(name)}`;
    return waiting(
      'ChartInProgress',
      `K3s has not yet replaced the job that installed the former settings of the chart ${name}. If it does not do so: ${again}`,
    );
  }
  const failure = jobCondition(job, 'Failed');
  if (failure !== undefined) {
    throw failed(name, `The job has given up: ${failure.message ?? 'without a reason'}.`, 'person');
  }
  if (jobCondition(job, 'Complete') !== undefined) {
    return completed(name, job, release);
  }
  return running(wish, { job, release, hindrance }, now, limit);
}

function unmanaged({ name, annotations = {} }: WishedChart): Finding {
  if (unmanagedAnnotation in annotations) {
    return inSync({ message: `${name} is no longer managed by K3s` });
  }
  throw new NodeError(
    'ChartOwned',
    `K3s ignores the HelmChart ${name}, because it has the annotation ${unmanagedAnnotation}. Remove the annotation, or ` +
      'remove the chart from the settings.',
    forPerson,
  );
}

/** Throws `ChartFailed` if K3s reports that it cannot create a job for the HelmChart. */
function throwRefusal(name: string, { status }: FoundChart): void {
  const refusal = status?.conditions?.find((each) => each.type === 'Failed' && each.status === 'True');
  if (refusal !== undefined) {
    throw failed(name, `K3s makes no job of it: ${refusal.message ?? 'without a reason'}.`, 'time');
  }
}

function completed(name: string, job: InstallJob, release: Release | undefined): Finding {
  if (release === undefined) {
    return again(name, 'the release is gone');
  }
  if (release.status !== 'deployed') {
    return again(name, `revision ${release.revision} is ${release.status}`);
  }
  if (release.hash !== undefined && release.hash !== hashOf(job)) {
    return again(name, `another program made revision ${release.revision}`);
  }
  return inSync({ message: `release ${name}, revision ${release.revision}` });
}

function again(name: string, why: string): Finding {
  return waiting('ChartInProgress', `K3s installs the chart ${name} again, because ${why}.`);
}

function running(
  { name, spec }: WishedChart,
  { job, release, hindrance }: { job: InstallJob } & Pick<Observed, 'release' | 'hindrance'>,
  now: number,
  limit: number,
): Finding {
  if (release?.status === 'failed' && spec.failurePolicy === 'abort' && hindrance?.isFailure) {
    throw failed(
      name,
      `Revision ${release.revision} has failed (${hindrance.words}), and failurePolicy abort leaves it to you. ` +
        'After you have corrected the cause, failurePolicy: retry upgrades it.',
      'person',
    );
  }
  if (hindrance?.isFailure) {
    throw failed(name, `K3s tries again; ${hindrance.words}.`, 'time');
  }
  const since = job.metadata.creationTimestamp;
  const words = hindrance === undefined ? '' : `; ${hindrance.words}`;
  return waiting('ChartInProgress', `K3s installs the chart ${name} since ${since}${words}.`, {
    isJob: hindrance === undefined && now < Date.parse(since) + limit + aroundHelm,
  });
}

function failed(name: string, why: string, endedBy: 'time' | 'person'): NodeError {
  return new NodeError(
    'ChartFailed',
    `The chart ${name} is not deployed. ${why} Its log: k3s kubectl logs -n ${chartNamespace} job/${jobName(name)}`,
    { endedBy },
  );
}
