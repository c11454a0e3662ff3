import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { chartNamespace, chartPath, foundChart } from '../../resources/helm-chart/chart-object.ts';
import { argocdNamespace, hasRoot, rootName } from './application.ts';
import { release } from './release.ts';
import { managerOf } from './self-management.ts';

/**
 * Returns a line reporting that Argo CD stays in the cluster after Slipway is removed, with the commands to remove Argo
 * CD; an empty list if the cluster has neither the root Application nor the HelmChart. Throws the errors of `readApi`.
 */
export async function argocdRemains(host: HostReader, kubeconfig: string): Promise<readonly string[]> {
  const access = await readKubeconfig(host, kubeconfig);
  const isHandedOver = await hasRoot(host, access);
  const chart = await readApi(host, access, chartPath(release), foundChart);
  if (!isHandedOver && chart === undefined) {
    return [];
  }
  const { is } = await managerOf(host, kubeconfig, release);
  const commands = [
    ...(isHandedOver ? [`k3s kubectl delete application.argoproj.io -n ${argocdNamespace} ${rootName}`] : []),
    // K3s does not uninstall a chart that it no longer manages, and the deletion of its HelmChart would never finish.
    ...(is === 'k3s' ? [`k3s kubectl delete helmchart -n ${chartNamespace} ${release}`] : []),
  ];
  const removal = commands.length === 0 ? '' : `; to remove it: ${commands.join('; ')}`;
  return [`Argo CD stays in the cluster, and follows its repository with its last login${removal}`];
}
