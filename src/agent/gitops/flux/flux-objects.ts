import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { CommandResult, HostReader } from '../../engine/host.ts';
import { jsonFault, readJson } from '../../engine/json.ts';
import { askApi, kubectl } from '../../resources/kubectl.ts';
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

/**
 * Reads Flux's GitRepository and Kustomization from the API, but no Secret. A missing object is `undefined`. Throws
 * `ApiUnavailable` if kubectl fails for another reason, and `UnexpectedAnswer` if its output is not the object.
 */
export async function fluxObjects(host: HostReader, context: GitOpsContext): Promise<FluxObjects> {
  const [source, sync] = await Promise.all([
    fluxObject(host, context, 'gitrepositories.source.toolkit.fluxcd.io'),
    fluxObject(host, context, 'kustomizations.kustomize.toolkit.fluxcd.io'),
  ]);
  return { source, sync };
}

async function fluxObject(
  host: HostReader,
  context: GitOpsContext,
  resource: string,
): Promise<FluxObject | undefined> {
  const get = ['get', resource, fluxSystem, '--namespace', fluxSystem, '--output', 'json'];
  const result = await askApi(host, kubectl(context, ...get));
  if (result.exitCode === 0) {
    return parseObject(result.stdout, resource);
  }
  if (isAbsent(result)) {
    return undefined;
  }
  const why = result.stderr.trim().split('\n').at(-1);
  throw new NodeError(
    'ApiUnavailable',
    `kubectl get ${resource} did not succeed; it is tried again. kubectl says: ${why}`,
  );
}

/** True if the object or its kind does not exist yet (kubectl's messages for a missing object and a missing CRD). */
function isAbsent({ stderr }: CommandResult): boolean {
  return stderr.includes('(NotFound)') || stderr.includes("the server doesn't have a resource type");
}

function parseObject(printed: string, resource: string): FluxObject {
  const { success, data, error } = readJson(fluxObjectSchema, printed);
  if (success) {
    return data;
  }
  const message = `kubectl get ${resource} printed something else than that object as JSON: ${jsonFault(error)}. It is asked again.`;
  throw new NodeError('UnexpectedAnswer', message, { cause: error });
}
