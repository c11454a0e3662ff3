import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import { helmCharts } from './chart-object.ts';

const chart = z.object({
  metadata: z.object({ name: z.string(), deletionTimestamp: z.optional(z.string()) }),
});

/** A HelmChart in the cluster. */
export interface PresentChart {
  readonly name: string;
  /** True if the HelmChart was deleted and K3s is uninstalling its release. */
  readonly isLeaving: boolean;
}

/** Returns the HelmCharts in the cluster that have these labels. Throws the errors of `readApi`. */
export async function chartsInCluster(
  host: HostReader,
  access: ApiAccess,
  labels: Readonly<Record<string, string>>,
): Promise<readonly PresentChart[]> {
  const found = await readList(host, access, listPath(helmCharts, labels), chart, 'listMetadata');
  return found.map(({ metadata: { name, deletionTimestamp } }) => ({
    name,
    isLeaving: deletionTimestamp !== undefined,
  }));
}
