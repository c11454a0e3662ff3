import type { Resource } from '../../engine/resource.ts';
import type { K3sNode } from '../../node.ts';
import { secretPath } from '../../resources/cluster-secret/cluster-secret.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { secretsInCluster, subjectOf } from './cluster-list.ts';
import { leftObjects } from './left-objects.ts';

/**
 * Deletes each Secret that Slipway created and the settings no longer name, but only if a consent names it, since a
 * workload may still use the Secret. Throws `SecretLeft` for a Secret without consent. Blocks nothing.
 */
export function secretsLeft(
  node: K3sNode,
  wished: readonly WishedSecret[],
  needs: readonly string[],
): Resource {
  return leftObjects(node, {
    id: 'Secrets/left',
    summary: 'delete the Secrets that workloads.secrets no longer names',
    condition: 'Secrets',
    needs,
    wished: wished.map(subjectOf),
    consent: 'secretRemoval',
    reason: 'SecretLeft',
    present: async (host, access) => (await secretsInCluster(host, access)).map(subjectOf),
    path: pathOf,
    message: (names, consent) =>
      `The settings no longer name ${names} in workloads.secrets, and a workload may still use it, so it stays with its ` +
      `last values. To delete it, ${consent}.`,
  });
}

function pathOf(subject: string): string {
  const [namespace = '', name = ''] = subject.split('/');
  return secretPath({ namespace, name });
}
