import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { readApi } from '../../kubernetes/api.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { type ObjectKind, objectPath } from '../../kubernetes/object-path.ts';
import type { GitOpsContext } from '../gitops.ts';

const text = z.string();
const condition = z.object({
  type: text,
  status: text,
  message: z.nullish(text),
  observedGeneration: z.nullish(z.number()),
});

/** The part of a Flux object that Slipway reads. The API may omit any field. */
const fluxObjectSchema = z.object({
  metadata: z.nullish(z.object({ generation: z.nullish(z.number()) })),
  spec: z.nullish(
    z.object({
      path: z.nullish(text),
      suspend: z.nullish(z.boolean()),
      url: z.nullish(text),
      provider: z.nullish(text),
      secretRef: z.nullish(z.object({ name: z.nullish(text) })),
      ref: z.nullish(z.object({ branch: z.nullish(text) })),
    }),
  ),
  status: z.nullish(
    z.object({
      observedGeneration: z.nullish(z.number()),
      lastAppliedRevision: z.nullish(text),
      conditions: z.nullish(z.array(condition)),
    }),
  ),
});

export type FluxObject = z.output<typeof fluxObjectSchema>;
export type FluxCondition = z.output<typeof condition>;

/**
 * The GitRepository (`source`) and the Kustomization (`sync`) by which Flux follows a repository; `undefined` if the
 * object does not exist.
 */
export interface FluxObjects {
  readonly source: FluxObject | undefined;
  readonly sync: FluxObject | undefined;
}

/** The namespace and the name of the objects that `flux bootstrap` creates. */
export const fluxSystem = 'flux-system';

/** The kinds of these objects. Flux serves both in this version since 2.0 (fluxcd/flux2, v2.0.0). */
const kinds = {
  source: { apiVersion: 'source.toolkit.fluxcd.io/v1', resource: 'gitrepositories' },
  sync: { apiVersion: 'kustomize.toolkit.fluxcd.io/v1', resource: 'kustomizations' },
} as const;

/**
 * Reads Flux's GitRepository and Kustomization from the API, but no Secret. A missing object is `undefined`. Throws the
 * errors of `readApi`.
 */
export async function fluxObjects(host: HostReader, { kubeconfig }: GitOpsContext): Promise<FluxObjects> {
  const access = await readKubeconfig(host, kubeconfig);
  const read = (kind: ObjectKind) =>
    readApi(host, access, objectPath({ ...kind, namespace: fluxSystem, name: fluxSystem }), fluxObjectSchema);
  // One after the other, so that the second question uses the connection of the first.
  const source = await read(kinds.source);
  return { source, sync: await read(kinds.sync) };
}
