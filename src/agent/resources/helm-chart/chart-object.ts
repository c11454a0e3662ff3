import * as z from 'zod/mini';
import { fieldManager } from '../../kubernetes/api.ts';
import { objectPath } from '../../kubernetes/object-path.ts';

/** The namespace of all of Slipway's HelmCharts, of their jobs, and of the Secrets that the HelmCharts name. */
export const chartNamespace = 'kube-system';

/** The kind HelmChart, whose objects K3s's helm-controller installs. */
export const helmCharts = {
  apiVersion: 'helm.cattle.io/v1',
  resource: 'helmcharts',
  namespace: chartNamespace,
} as const;

/** The fields of a HelmChart that Slipway uses (helm-controller, pkg/apis/helm.cattle.io/v1/types.go). */
export interface ChartSpec {
  /** The name of the chart in `repo`, the URL of an archive, or an `oci://` address. */
  readonly chart: string;
  readonly repo?: string;
  readonly version?: string;
  readonly targetNamespace: string;
  /** True or absent: K3s removes a `false` when it writes the HelmChart back. */
  readonly createNamespace?: true;
  /** The values as YAML or JSON; see `valuesContent`. */
  readonly valuesContent?: string;
  /** Secrets in `chartNamespace` that contain more values, and the keys with these values. */
  readonly valuesSecrets?: readonly { readonly name: string; readonly keys: readonly string[] }[];
  readonly failurePolicy: 'abort' | 'retry' | 'reinstall';
  /** The time limit of helm as Go prints it, such as `10m0s`; five minutes by default. */
  readonly timeout?: string;
  /** True to install the chart before the network of the cluster works. */
  readonly bootstrap?: true;
  /** A Secret in `chartNamespace` of the type kubernetes.io/basic-auth for `repo`. */
  readonly authSecret?: { readonly name: string };
  /** A Secret in `chartNamespace` of the type kubernetes.io/dockerconfigjson for an `oci://` address. */
  readonly dockerRegistrySecret?: { readonly name: string };
}

/** A HelmChart that should be in the cluster. Its release has the same name. */
export interface WishedChart {
  readonly name: string;
  /** Labels by which the part of Slipway that requests the HelmChart finds it again, such as `slipway.dev/part-of`. */
  readonly labels: Readonly<Record<string, string>>;
  /** Further annotations, such as `unmanagedAnnotation`. */
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: ChartSpec;
}

/**
 * The annotation with the uid of the job that installed the previous spec. K3s replaces this job after a change of the
 * spec; until it has done so, the job says nothing about the current spec.
 */
export const replacesAnnotation = 'slipway.dev/replaces-job';

/** The annotation that makes K3s leave the release of a HelmChart as it is; its value does not matter. */
export const unmanagedAnnotation = 'helmcharts.helm.cattle.io/unmanaged';

/** Returns the path of a HelmChart in the API. */
export function chartPath(name: string): string {
  return objectPath({ ...helmCharts, name });
}

/**
 * Returns values as the string for `valuesContent`. The field `values` accepts an object, but releases of K3s that
 * predate this field would ignore it. JSON is also YAML.
 */
export function valuesContent(values: object): string {
  return `${JSON.stringify(values, null, 2)}\n`;
}

/** Renders a HelmChart for server-side apply. `replaces` is the uid of the job that installed the previous spec. */
export function chartObject(wish: WishedChart, replaces: string | undefined): string {
  const { name, labels, spec } = wish;
  const annotations = {
    ...wish.annotations,
    ...(replaces !== undefined && { [replacesAnnotation]: replaces }),
  };
  return JSON.stringify({
    apiVersion: helmCharts.apiVersion,
    kind: 'HelmChart',
    metadata: { name, namespace: chartNamespace, labels, annotations },
    spec,
  });
}

const texts = z.nullish(z.record(z.string(), z.string()));

/** A HelmChart as the API sends it. */
export const foundChart = z.object({
  metadata: z.object({
    labels: texts,
    annotations: texts,
    deletionTimestamp: z.optional(z.string()),
    managedFields: z.nullish(
      z.array(
        z.object({
          manager: z.optional(z.string()),
          operation: z.optional(z.string()),
          fieldsV1: z.nullish(z.looseObject({ 'f:spec': z.optional(z.record(z.string(), z.unknown())) })),
        }),
      ),
    ),
  }),
  spec: z.looseObject({}),
  status: z.optional(
    z.object({
      conditions: z.nullish(
        z.array(z.object({ type: z.string(), status: z.string(), message: z.optional(z.string()) })),
      ),
    }),
  ),
});

export type FoundChart = z.output<typeof foundChart>;

/** Returns the fields of a spec that only Slipway owns, so that an apply without them removes them. */
export function ownFields({ metadata: { managedFields } }: FoundChart): readonly string[] {
  const fields = (ours: boolean) =>
    (managedFields ?? [])
      .filter(({ manager, operation }) => ours === (manager === fieldManager && operation === 'Apply'))
      .flatMap(({ fieldsV1 }) => Object.keys(fieldsV1?.['f:spec'] ?? {}));
  const foreign = fields(false);
  return fields(true)
    .filter((field) => !foreign.includes(field))
    .map((field) => field.replace(/^f:/, ''));
}
