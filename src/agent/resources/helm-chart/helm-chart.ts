import { NodeError } from '../../engine/errors.ts';
import type { Host, HostReader } from '../../engine/host.ts';
import { type Finding, type Resource, waiting } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { chartChanges } from './chart-changes.ts';
import {
  chartObject,
  chartPath,
  type FoundChart,
  foundChart,
  replacesAnnotation,
  type WishedChart,
} from './chart-object.ts';
import { type InstallJob, readJob, readRelease } from './install-job.ts';
import { readHindrance } from './job-pods.ts';
import { judgeRelease } from './judgement.ts';
import { refuseMove } from './moved-release.ts';

export interface HelmChartOptions extends Pick<Resource, 'id' | 'condition' | 'needs'> {
  readonly wish: WishedChart;
  /** The path of the kubeconfig of an admin. */
  readonly kubeconfig: string;
  /** The timeout in `wish.spec`, in milliseconds; five minutes by default, as in helm. */
  readonly limit?: number;
}

/**
 * Keeps a HelmChart in the cluster by server-side apply, and waits until K3s has deployed its release. Dependants wait
 * for the release.
 *
 * Throws `ChartFailed` if K3s cannot install the chart, `ChartOwned` if another program owns a field or K3s ignores the
 * HelmChart, `ChartMoved` if the release is in another namespace, `ApiUnavailable`, `ApiForbidden` and `ApiRejected`.
 */
export function helmChart({ wish, kubeconfig, limit, ...rest }: HelmChartOptions): Resource {
  return {
    ...rest,
    summary: `apply HelmChart ${wish.name}, which K3s installs in the namespace ${wish.spec.targetNamespace}`,
    async check(host) {
      const access = await readKubeconfig(host, kubeconfig);
      const chart = await readApi(host, access, chartPath(wish.name), foundChart);
      if (chart?.metadata.deletionTimestamp !== undefined) {
        return waiting('ChartInProgress', `K3s uninstalls the former release ${wish.name} first.`);
      }
      await refuseMove(host, access, wish, chart);
      const job = await readJob(host, access, wish.name);
      const { spec, metadata } = chartChanges(chart, wish);
      if (chart !== undefined && spec.length + metadata.length === 0) {
        return judged(host, access, wish, chart, job, limit);
      }
      const before = chart?.metadata.annotations?.[replacesAnnotation];
      const replaces = spec.length > 0 ? job?.metadata.uid : before;
      return {
        state: 'Drifted',
        drift: {
          changes: [...spec, ...metadata],
          partial: true,
          remedy: (host) => bringChart(host, access, wish, replaces),
        },
      };
    },
  };
}

async function judged(
  host: HostReader,
  access: ApiAccess,
  wish: WishedChart,
  chart: FoundChart,
  job: InstallJob | undefined,
  limit: number | undefined,
): Promise<Finding> {
  const release = await readRelease(host, access, wish.spec.targetNamespace, wish.name);
  const hindrance = job && (await readHindrance(host, access, job));
  return judgeRelease(wish, { chart, job, release, hindrance }, host.now(), limit);
}

async function bringChart(
  host: Host,
  access: ApiAccess,
  wish: WishedChart,
  replaces: string | undefined,
): Promise<void> {
  try {
    await applyObject(host, access, chartPath(wish.name), chartObject(wish, replaces));
  } catch (thrown) {
    throw thrown instanceof NodeError && thrown.reason === 'ApiConflict' ? owned(wish, thrown) : thrown;
  }
}

function owned({ name }: WishedChart, cause: NodeError): NodeError {
  return new NodeError(
    'ChartOwned',
    `Another program owns a field of the HelmChart ${name}, so nothing was changed. ${cause.message} Remove the chart ` +
      'from the settings, or let the other program give up the field.',
    { ...forPerson, cause },
  );
}
