import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { NodePaths } from '../../paths.ts';
import { chartNamespace } from '../../resources/helm-chart/chart-object.ts';
import { chartsInCluster } from '../../resources/helm-chart/charts-in-cluster.ts';
import { secretsInCluster, subjectOf } from './cluster-list.ts';
import { workloadLabel } from './workload-label.ts';

/**
 * Returns the lines about the Secrets and charts that stay in the cluster after Slipway is removed, with the commands
 * that delete them; an empty list if none stay, on an agent, or if the API does not answer.
 */
export async function workloadNotes(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  try {
    const access = await readKubeconfig(host, k3s.kubeconfig);
    return [...(await secretNotes(host, access)), ...(await chartNotes(host, access))];
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return [];
    }
    throw thrown;
  }
}

const selector = Object.entries(workloadLabel)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

async function secretNotes(host: HostReader, access: ApiAccess): Promise<readonly string[]> {
  const stay = await secretsInCluster(host, access);
  return stay.length === 0
    ? []
    : [
        `Secrets stay in the cluster with their last values: ${stay.map(subjectOf).join(' ')}; to delete them: ` +
          `k3s kubectl delete secret --all-namespaces --selector ${selector}`,
      ];
}

async function chartNotes(host: HostReader, access: ApiAccess): Promise<readonly string[]> {
  const stay = await chartsInCluster(host, access, workloadLabel);
  return stay.length === 0
    ? []
    : [
        `charts stay in the cluster: ${stay.map(({ name }) => name).join(' ')}; to uninstall them with their data: ` +
          `k3s kubectl delete helmchart -n ${chartNamespace} --selector ${selector}`,
      ];
}
