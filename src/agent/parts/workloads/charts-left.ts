import type { HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import type { K3sNode } from '../../node.ts';
import { chartPath } from '../../resources/helm-chart/chart-object.ts';
import { chartsInCluster } from '../../resources/helm-chart/charts-in-cluster.ts';
import { leftObjects } from './left-objects.ts';
import { workloadLabel } from './workload-label.ts';

/**
 * Deletes each HelmChart that Slipway created and the settings no longer name, if a consent names it: K3s then
 * uninstalls the release, with its data. Throws `ChartLeft` for a HelmChart without consent. Blocks nothing.
 */
export function chartsLeft(node: K3sNode, wished: readonly string[], needs: readonly string[]): Resource {
  return leftObjects(node, {
    id: 'Charts/left',
    summary: 'delete the HelmCharts that workloads.charts no longer names',
    condition: 'Charts',
    needs,
    wished,
    consent: 'chartRemoval',
    reason: 'ChartLeft',
    present,
    path: chartPath,
    message: (names, consent) =>
      `The settings no longer name ${names} in workloads.charts, so its release stays as it is. To uninstall it with ` +
      `everything that it has created, ${consent}.`,
  });
}

/** Returns the names of Slipway's HelmCharts that K3s is not already uninstalling. */
async function present(host: HostReader, access: ApiAccess): Promise<readonly string[]> {
  const found = await chartsInCluster(host, access, workloadLabel);
  return found.filter(({ isLeaving }) => !isLeaving).map(({ name }) => name);
}
