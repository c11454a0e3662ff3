import { type ChartSpec, valuesContent, type WishedChart } from '../../resources/helm-chart/chart-object.ts';
import type { Settings } from '../../settings/schema.ts';
import { workloadLabel } from './workload-label.ts';

/** The settings of one chart. */
export type ChartSettings = Settings['workloads']['charts'][string];

/** A chart that the settings put into the cluster, and its time limit in milliseconds, if the settings have one. */
export interface ChartOfSettings {
  readonly wish: WishedChart;
  readonly limit: number | undefined;
}

/** Returns the charts that the settings put into the cluster. */
export function wishedCharts({ workloads }: Pick<Settings, 'workloads'>): readonly ChartOfSettings[] {
  return Object.entries(workloads.charts).map(([name, settings]) => ({
    wish: { name, labels: workloadLabel, spec: specOf(settings) },
    limit: settings.timeout,
  }));
}

function specOf(settings: ChartSettings): ChartSpec {
  const { chart, repo, version, namespace, createNamespace = true, values = {}, bootstrap } = settings;
  const secrets = Object.entries(settings.valuesSecrets ?? {});
  return {
    chart,
    ...(repo !== undefined && { repo }),
    ...(version !== undefined && { version }),
    targetNamespace: namespace,
    ...(createNamespace && { createNamespace }),
    ...(Object.keys(values).length > 0 && { valuesContent: valuesContent(values) }),
    ...(secrets.length > 0 && { valuesSecrets: secrets.map(([name, keys]) => ({ name, keys })) }),
    failurePolicy: settings.failurePolicy ?? 'abort',
    ...(settings.timeout !== undefined && { timeout: goDuration(settings.timeout) }),
    ...(bootstrap && { bootstrap }),
    ...login(settings),
  };
}

function login({
  authSecret: name,
  repo,
}: ChartSettings): Pick<ChartSpec, 'authSecret' | 'dockerRegistrySecret'> {
  if (name === undefined) {
    return {};
  }
  return repo === undefined ? { dockerRegistrySecret: { name } } : { authSecret: { name } };
}

/**
 * Returns a duration of whole minutes as Go prints it, such as `1h30m0s`. K3s writes the HelmChart back in this form,
 * so any other form would look like a change by K3s.
 */
function goDuration(milliseconds: number): string {
  const minutes = Math.round(milliseconds / 60_000);
  const hours = Math.floor(minutes / 60);
  return `${hours > 0 ? `${hours}h` : ''}${minutes % 60}m0s`;
}
