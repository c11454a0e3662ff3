import { NodeError } from '../../engine/errors.ts';
import { inSync, type Resource } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { deleteObject } from '../../kubernetes/api.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import type { K3sNode } from '../../node.ts';
import { secretPath } from '../../resources/cluster-secret/cluster-secret.ts';
import type { WishedSecret } from '../../resources/cluster-secret/wished-secret.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import { consentAdvice, isConsented } from '../../settings/consents.ts';
import { secretsInCluster, subjectOf } from './cluster-list.ts';

/**
 * Deletes each Secret that Slipway created and the settings no longer name, if a consent names it, since a workload may
 * still use the Secret. Throws `SecretLeft` for a Secret without consent. Blocks nothing.
 */
export function secretsLeft(
  node: K3sNode,
  wished: readonly WishedSecret[],
  needs: readonly string[],
): Resource {
  return nonBlocking({
    id: 'Secrets/left',
    summary: 'delete the Secrets that workloads.secrets no longer names',
    condition: 'Secrets',
    isQuiet: wished.length === 0,
    needs,
    async check(host) {
      const access = await readKubeconfig(host, node.paths.k3s.kubeconfig);
      const left = (await secretsInCluster(host, access)).filter(
        (each) => !wished.some((wish) => subjectOf(wish) === subjectOf(each)),
      );
      const going = left.filter((each) => isConsented(node.settings, 'secretRemoval', subjectOf(each)));
      if (going.length > 0) {
        return {
          state: 'Drifted',
          drift: {
            changes: going.map((each) => ({
              field: subjectOf(each),
              observed: 'present',
              desired: undefined,
            })),
            remedy: async (host) => {
              for (const each of going) {
                await deleteObject(host, access, secretPath(each));
              }
            },
          },
        };
      }
      if (left.length > 0) {
        throw leftBehind(node, left.map(subjectOf));
      }
      return inSync();
    },
  });
}

function leftBehind({ settings }: K3sNode, left: readonly string[]): NodeError {
  return new NodeError(
    'SecretLeft',
    `The settings no longer name ${left.join(', ')} in workloads.secrets, and a workload may still use it, so it stays ` +
      `with its last values. To delete it, ${consentAdvice(settings, 'secretRemoval', ...left)}.`,
    advisory,
  );
}
