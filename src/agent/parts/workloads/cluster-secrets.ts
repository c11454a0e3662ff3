import type { Cloud } from '../../clouds/cloud.ts';
import type { Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { type K3sNode, mayActForCluster } from '../../node.ts';
import { clusterSecret, type SecretUse } from '../../resources/cluster-secret/cluster-secret.ts';
import { secretsLeft } from './secrets-left.ts';
import { wishedSecrets } from './wished-secrets.ts';

/** Returns the Resources of the Secrets in `workloads.secrets` on a server. */
export function clusterSecrets(node: K3sNode, cloud: Cloud, needs: readonly string[]): readonly Resource[] {
  const wished = wishedSecrets(node.settings);
  const use = {
    vault: cloud,
    condition: 'Secrets',
    needs,
    kubeconfig: node.paths.k3s.kubeconfig,
    verifyEvery: node.settings.workloads.verifyEvery,
    severity: advisory,
    ifOwned: 'Remove the Secret from workloads.secrets, or let the other program give up the key.',
  } as const satisfies SecretUse;
  return [...wished.map((wish) => clusterSecret(wish, use)), secretsLeft(node, wished, needs)];
}

/**
 * Returns the names of the vault's secrets that contain the values of `workloads.secrets`; none if the node does not
 * act for the cluster.
 */
export function workloadSources(node: K3sNode): readonly string[] {
  return mayActForCluster(node) ? wishedSecrets(node.settings).flatMap(({ sources }) => sources) : [];
}
