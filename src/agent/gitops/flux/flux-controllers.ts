import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readJson } from '../../engine/json.ts';
import { askApi, kubectl } from '../../resources/kubectl.ts';
import type { GitOpsContext } from '../gitops.ts';
import { fluxSystem } from './flux-objects.ts';

/** The part of Flux's Deployments that Slipway reads. The API may omit any field. */
const deploymentsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.nullish(z.object({ replicas: z.nullish(z.number()) })),
      status: z.nullish(z.object({ availableReplicas: z.nullish(z.number()) })),
    }),
  ),
});

/**
 * Returns the names of Flux's controllers that have no available pod, in alphabetical order; an empty list if the API
 * does not list the Deployments. Ignores controllers that are scaled to zero.
 */
export async function unavailableControllers(
  host: HostReader,
  context: GitOpsContext,
): Promise<readonly string[]> {
  const list = ['get', 'deployments.apps', '--namespace', fluxSystem, '--output', 'json'];
  const { exitCode, stdout } = await askApi(host, kubectl(context, ...list));
  const { data } = exitCode === 0 ? readJson(deploymentsSchema, stdout) : {};
  return (data?.items ?? [])
    .filter(({ spec, status }) => (spec?.replicas ?? 1) > 0 && !status?.availableReplicas)
    .map(({ metadata }) => metadata.name)
    .sort();
}
