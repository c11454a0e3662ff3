import type { Cloud } from '../../clouds/cloud.ts';
import type { Resource } from '../../engine/resource.ts';
import { type K3sNode, mayActForCluster } from '../../node.ts';
import { clusterCharts } from './cluster-charts.ts';
import { clusterSecrets } from './cluster-secrets.ts';

/**
 * Returns the Resources of everything in `workloads`: Secrets first, because charts may read them. Only the node that
 * acts for the cluster has these Resources; a kubelet's credential may write neither.
 */
export function clusterWorkloads(node: K3sNode, cloud: Cloud, needs: readonly string[]): readonly Resource[] {
  return mayActForCluster(node) ? [...clusterSecrets(node, cloud, needs), ...clusterCharts(node, needs)] : [];
}
