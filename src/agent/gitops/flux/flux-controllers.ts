import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { readList } from '../../kubernetes/lists.ts';
import { listPath } from '../../kubernetes/object-path.ts';
import type { GitOpsContext } from '../gitops.ts';
import { fluxSystem } from './flux-objects.ts';

/** The part of a Deployment that Slipway reads. The API may omit any field. */
const deployment = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.nullish(z.object({ replicas: z.nullish(z.number()) })),
  status: z.nullish(z.object({ availableReplicas: z.nullish(z.number()) })),
});

/**
 * Returns the names of Flux's controllers that have no available pod, in alphabetical order; an empty list if the API
 * does not list the Deployments. Ignores controllers that are scaled to zero.
 */
export async function unavailableControllers(
  host: HostReader,
  context: GitOpsContext,
): Promise<readonly string[]> {
  const deployments = await listDeployments(host, context).catch(none);
  return deployments
    .filter(({ spec, status }) => (spec?.replicas ?? 1) > 0 && !status?.availableReplicas)
    .map(({ metadata }) => metadata.name)
    .sort();
}

async function listDeployments(host: HostReader, { kubeconfig }: GitOpsContext) {
  const path = listPath({ apiVersion: 'apps/v1', resource: 'deployments', namespace: fluxSystem });
  return readList(host, await readKubeconfig(host, kubeconfig), path, deployment);
}

function none(thrown: unknown): readonly [] {
  if (thrown instanceof NodeError) {
    return [];
  }
  throw thrown;
}
