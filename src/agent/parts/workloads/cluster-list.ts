import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import type { NodePaths } from '../../paths.ts';
import { secretMetadataList } from '../../resources/cluster-secret/secret-object.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { workloadLabel } from './workload-label.ts';

/** The namespace and the name of a Secret. */
export type SecretName = Pick<WishedSecret, 'namespace' | 'name'>;

/** Returns the Secrets in the cluster that Slipway created for `workloads.secrets`. Throws as `readApi`. */
export async function secretsInCluster(host: HostReader, access: ApiAccess): Promise<readonly SecretName[]> {
  const path = listPath({ apiVersion: 'v1', resource: 'secrets' }, workloadLabel);
  const found = await readApi(host, access, path, secretMetadataList, 'listMetadata');
  return (found?.items ?? []).map(({ metadata: { namespace = '', name } }) => ({ namespace, name }));
}

/** Returns `namespace/name`, by which settings and consents name a Secret. */
export function subjectOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}

/**
 * Returns the lines about the Secrets that stay in the cluster after Slipway is removed, with the command that deletes
 * them; empty without Secrets, on an agent, and if the API does not answer.
 */
export async function secretNotes(host: HostReader, { k3s }: NodePaths): Promise<readonly string[]> {
  try {
    const stay = await secretsInCluster(host, await readKubeconfig(host, k3s.kubeconfig));
    const selector = Object.entries(workloadLabel).map(([key, value]) => `${key}=${value}`);
    return stay.length === 0
      ? []
      : [
          `Secrets stay in the cluster with their last values: ${stay.map(subjectOf).join(' ')}; to delete them: ` +
            `k3s kubectl delete secret --all-namespaces --selector ${selector.join(',')}`,
        ];
  } catch (thrown) {
    if (thrown instanceof NodeError) {
      return [];
    }
    throw thrown;
  }
}
