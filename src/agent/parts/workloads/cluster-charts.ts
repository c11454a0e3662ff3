import type { Resource } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { neverBlocking } from '../../resources/combinators.ts';
import { helmChart } from '../../resources/helm-chart/helm-chart.ts';
import { chartsLeft } from './charts-left.ts';
import { wishedCharts } from './wished-charts.ts';

/** Returns the Resources of the charts in `workloads.charts`. They block nothing, even while K3s installs a chart. */
export function clusterCharts(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  const wished = wishedCharts(node.settings);
  const { kubeconfig } = node.paths.k3s;
  const charts = wished.map(({ wish, limit }) =>
    helmChart({
      ...{ id: `Chart/${wish.name}`, condition: 'Charts', needs, wish, kubeconfig },
      ...(limit !== undefined && { limit }),
    }),
  );
  const left = chartsLeft(
    node,
    wished.map(({ wish }) => wish.name),
    needs,
  );
  return [...charts.map(neverBlocking), left];
}
