import { NodeError } from '../../engine/errors.ts';
import type { CommandResult, HostReader } from '../../engine/host.ts';
import { askApi, kubectl } from '../../resources/kubectl.ts';
import type { GitOpsContext } from '../gitops.ts';

/** What Slipway reads of a Flux object; the API may leave out any of it. */
export interface FluxObject {
  readonly metadata?: { readonly generation?: number };
  readonly spec?: { readonly path?: string; readonly suspend?: boolean };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly lastAppliedRevision?: string;
    readonly conditions?: readonly ObjectCondition[];
  };
}

export interface ObjectCondition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly message?: string;
}

/** The two objects that hand a cluster over to a repository, where they exist. */
export interface FluxObjects {
  readonly source: FluxObject | undefined;
  readonly sync: FluxObject | undefined;
}

/** Namespace and name of what `flux bootstrap` creates. */
export const fluxSystem = 'flux-system';

/** Reads both from the API, without any secret. `ApiUnavailable` where it does not answer. */
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
  if (result.exitCode === 0) return parse(result.stdout, resource);
  if (isAbsent(result)) return undefined;
  const why = result.stderr.trim().split('\n').at(-1);
  throw new NodeError(
    'ApiUnavailable',
    `kubectl get ${resource} did not succeed; it is tried again. kubectl says: ${why}`,
  );
}

/** No such object, or no such kind yet (kubectl's messages for a missing object and a missing CRD). */
function isAbsent({ stderr }: CommandResult): boolean {
  return stderr.includes('(NotFound)') || stderr.includes("the server doesn't have a resource type");
}

function parse(text: string, resource: string): FluxObject {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NodeError('UnexpectedAnswer', `kubectl get ${resource} printed no JSON. It is asked again.`, {
      cause,
    });
  }
}
