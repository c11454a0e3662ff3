import type { HostReader } from '../../engine/host.ts';
import type { ApiAccess } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import { secretMetadata } from '../../resources/cluster-secret/secret-object.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { workloadLabel } from './workload-label.ts';

/** The namespace and the name of a Secret. */
export type SecretName = Pick<WishedSecret, 'namespace' | 'name'>;

/** Returns the Secrets in the cluster that Slipway created for `workloads.secrets`. Throws the errors of `readApi`. */
export async function secretsInCluster(host: HostReader, access: ApiAccess): Promise<readonly SecretName[]> {
  const path = listPath({ apiVersion: 'v1', resource: 'secrets' }, workloadLabel);
  const found = await readList(host, access, path, secretMetadata, 'listMetadata');
  return found.map(({ metadata: { namespace = '', name } }) => ({ namespace, name }));
}

/** Returns `namespace/name`, by which settings and consents name a Secret. */
export function subjectOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}
