import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { type Finding, inSync, type Resource, waiting } from '../../engine/resource.ts';
import { withoutLogins } from '../../engine/url-login.ts';
import { applyObject, readApi } from '../../kubernetes/api.ts';
import { type ApiAccess, readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { objectPath } from '../../kubernetes/object-path.ts';
import type { GitOpsContext } from '../gitops.ts';
import { type Application, readRoot, rootApplication, rootName, rootPath } from './application.ts';
import type { ArgocdSettings } from './settings.ts';
import { isSourceOurs, sourceChanges, sourceDiffers } from './source-difference.ts';

export const rootId = `Bootstrap/${rootName}`;

/**
 * Returns the Resource that applies the root Application. Slipway does not overwrite an Application that Argo CD has
 * synced or whose source another program has set: if that source differs from the settings, the check throws
 * `BootstrapPathDiffers` or `BootstrapSourceDiffers`. The check waits while the cluster does not have the kind
 * Application.
 */
export function rootBootstrap(
  settings: ArgocdSettings,
  context: GitOpsContext,
  needs: readonly string[],
): Resource {
  const { url, revision, path } = settings;
  return {
    id: rootId,
    summary: `apply the root Application of Argo CD for ${withoutLogins(url)}, revision ${revision}, path ${path}`,
    condition: 'GitOps',
    needs,
    async check(host) {
      const access = await readKubeconfig(host, context.kubeconfig);
      const found = await readRoot(host, access);
      if (found !== undefined) {
        return judge(found, settings, access);
      }
      return (await isKindEstablished(host, access))
        ? applying([{ field: 'Application', observed: undefined, desired: 'present' }], settings, access)
        : waiting('ArgocdNotReady', notYet, { after: 10_000 });
    },
  };
}

const notYet =
  'The kind Application does not exist in the cluster yet, so the root Application waits for the chart of Argo CD.';

function judge(found: Application, settings: ArgocdSettings, access: ApiAccess): Finding {
  const changes = sourceChanges(found, settings);
  const isBootstrapped = wasSynced(found);
  if (changes.length === 0) {
    const revision = found.status?.history?.at(-1)?.revision;
    const synced = isBootstrapped && revision ? `, first handed over, last synced at ${revision}` : '';
    return inSync({ message: `follows ${settings.path}${synced}` });
  }
  if (isBootstrapped || !isSourceOurs(found)) {
    throw sourceDiffers(changes);
  }
  return applying(changes, settings, access);
}

/** True if Argo CD has synced the Application at least once. */
function wasSynced({ status }: Application): boolean {
  return (status?.history?.length ?? 0) > 0 || status?.operationState?.phase === 'Succeeded';
}

function applying(
  changes: readonly {
    readonly field: string;
    readonly observed: string | undefined;
    readonly desired: string | undefined;
  }[],
  settings: ArgocdSettings,
  access: ApiAccess,
): Finding {
  return {
    state: 'Drifted',
    drift: { changes, remedy: (host) => applyObject(host, access, rootPath, rootApplication(settings)) },
  };
}

const established = z.object({
  status: z.nullish(
    z.object({ conditions: z.nullish(z.array(z.object({ type: z.string(), status: z.string() }))) }),
  ),
});

async function isKindEstablished(host: HostReader, access: ApiAccess): Promise<boolean> {
  const kind = { apiVersion: 'apiextensions.k8s.io/v1', resource: 'customresourcedefinitions' };
  const path = objectPath({ ...kind, name: 'applications.argoproj.io' });
  const found = await readApi(host, access, path, established);
  return (
    found?.status?.conditions?.some((each) => each.type === 'Established' && each.status === 'True') ?? false
  );
}
