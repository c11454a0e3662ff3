/**
 * One run of helm in the job of a HelmChart.
 *
 * Models the script `entry` of klipper-helm: its words in the termination message, which are all that the API shows of
 * a failure, and helm 3: a repository that cannot be fetched and values that the schema refuses leave no release.
 */
import { parse } from 'yaml';

/** A HelmChart as helm sees it. */
export interface Chart {
  readonly name: string;
  readonly spec: Readonly<Record<string, unknown>>;
}

export type HelmRun =
  /** helm has ended: `release` is the status of the new revision, if helm made one. */
  | { readonly result: 'deployed'; readonly release: 'deployed' }
  | { readonly result: 'failed'; readonly message: string; readonly release?: 'failed' }
  /** helm still runs, or its container cannot start, or its pod has no node. */
  | { readonly result: 'running' }
  | { readonly result: 'waiting'; readonly reason: string; readonly message: string }
  | { readonly result: 'unschedulable'; readonly message: string };

/** The top-level values of charts whose schema forbids others (values.schema.json). */
const strictCharts: Readonly<Record<string, readonly string[]>> = {
  traefik: ['deployment', 'ingressClass', 'ingressRoute', 'ports', 'providers', 'service', 'tlsOptions'],
};

/** Runs helm: hosts below `.invalid` do not resolve, and a strict chart refuses values that it does not know. */
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
