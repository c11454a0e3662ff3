/**
 * One run of helm in the job of a HelmChart.
 *
 * Models klipper-helm's script `entry`, whose termination message is all that the API shows of a failure, and helm 3,
 * which leaves no release if it cannot fetch the repository or if the chart's schema refuses the values.
 */
import { parse } from 'yaml';

/** The fields of a HelmChart that a run of helm depends on. */
export interface Chart {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export type HelmRun =
  /** helm has ended; `release` is the status of the new revision, and is missing if helm created no revision. */
  | { readonly result: 'deployed'; readonly release: 'deployed' }
  | { readonly result: 'failed'; readonly message: string; readonly release?: 'failed' }
  /** helm is still running, its container cannot start, or no node accepts its pod. */
  | { readonly result: 'running' }
  | { readonly result: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly result: 'unschedulable'; readonly message: string };

/** The top-level values that a chart's schema (values.schema.json) allows, for each chart that refuses other values. */
const strictCharts: Readonly<Record<string, readonly string[]>> = {
  traefik: ['deployment', 'ingressClass', 'ingressRoute', 'ports', 'providers', 'service', 'tlsOptions'],
};

/** Runs helm; fails if the host of the chart or repository ends with `.invalid`, or if the schema refuses a value. */
export function runHelm({ spec }: Chart): HelmRun {
  const chart = String(spec.chart);
  const source = String(spec.repo ?? chart);
  if (URL.canParse(source) && new URL(source).hostname.endsWith('.invalid')) {
    return { result: 'failed', message: spec.repo === undefined ? 'Installing helm chart\n' : '' };
  }
  const known = strictCharts[chart.split('/').at(-1) ?? ''];
  const values = { ...Object(parse(String(spec.valuesContent ?? '{}'))), ...Object(spec.values) };
  if (known !== undefined && Object.keys(values).some((key) => !known.includes(key))) {
    return { result: 'failed', message: 'Installing helm chart\n' };
  }
  return { result: 'deployed', release: 'deployed' };
}
