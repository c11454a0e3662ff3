import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { deleteObject } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { K3sNode } from '../../node.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { chartPath } from '../../resources/helm-chart/chart-object.ts';
import { chartsInCluster } from '../../resources/helm-chart/charts-in-cluster.ts';
import { consentAdvice, isConsented } from '../../settings/consents.ts';
import { workloadLabel } from './workload-label.ts';

/**
 * Deletes each HelmChart that Slipway created and the settings no longer name, if a consent names it: K3s then
 * uninstalls the release, with its data. Throws `ChartLeft` for a HelmChart without consent. Blocks nothing.
 */
export function chartsLeft(node: K3sNode, wished: readonly string[], needs: readonly string[]): Resource {
  return nonBlocking({
    id: 'Charts/left',
    summary: 'delete the HelmCharts that workloads.charts no longer names',
    condition: 'Charts',
    isQuiet: wished.length === 0,
    needs,
    async check(host) {
      const access = await readKubeconfig(host, node.paths.k3s.kubeconfig);
      const left = (await present(host, access)).filter((name) => !wished.includes(name));
      const going = left.filter((name) => isConsented(node.settings, 'chartRemoval', name));
      if (going.length > 0) {
        return {
          state: 'Drifted',
          drift: {
            changes: going.map((field) => ({ field, observed: 'present', desired: undefined })),
            remedy: async (host) => {
              for (const name of going) {
                await deleteObject(host, access, chartPath(name));
              }
            },
          },
        };
      }
      if (left.length > 0) {
        throw leftBehind(node, left);
      }
      return inSync();
    },
  });
}

/** Returns the names of Slipway's HelmCharts that K3s is not already uninstalling. */
async function present(host: HostReader, access: ApiAccess): Promise<readonly string[]> {
  const found = await chartsInCluster(host, access, workloadLabel);
  return found.filter(({ isLeaving }) => !isLeaving).map(({ name }) => name);
}

function leftBehind({ settings }: K3sNode, left: readonly string[]): NodeError {
  return new NodeError(
    'ChartLeft',
    `The settings no longer name ${left.join(', ')} in workloads.charts, so its release stays as it is. To uninstall it ` +
      `with everything that it has created, ${consentAdvice(settings, 'chartRemoval', ...left)}.`,
    advisory,
  );
}
