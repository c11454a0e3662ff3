import { NodeError } from '../../engine/errors.ts';
import type { HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import { forPerson } from '../../engine/severity.ts';
import { readKubeconfig } from '../../kubernetes/kubeconfig.ts';
import { clusterSecret } from '../../resources/cluster-secret/cluster-secret.ts';
import { nonBlocking } from '../../resources/combinators.ts';
import type { GitOpsEngine, GitOpsGround } from '../engine.ts';
import type { GitOps, GitOpsContext } from '../gitops.ts';
import { hasRoot } from './application.ts';
import { rootBootstrap } from './bootstrap.ts';
import { argocdChart } from './chart.ts';
import { argocdRemains } from './remains.ts';
import { loginSources, repositorySecret } from './repository-secret.ts';
import { hostOf } from './repository-url.ts';
import { type ArgocdSection, type ArgocdSettings, argocdSettings } from './settings.ts';
import { rootSync } from './sync.ts';

export const argocd = {
  settings: argocdSettings,
  programs: [],
  secrets: loginSources,
  endpoints: ({ url, chartRepository }) =>
    [...(url === undefined ? [] : [hostOf(url)]), chartRepository].map((each) => new URL(each)),
  create: argocdGitOps,
  remains: argocdRemains,
} as const satisfies GitOpsEngine<typeof argocdSettings.schema>;

type Ground = Omit<GitOpsGround<ArgocdSection>, 'settings'>;

/**
 * Makes the adapter for Argo CD. It plans the login for a private repository, the chart, the root Application, and the
 * check of its sync. Throws `InvalidSettings` if the settings have no repository or path.
 */
export function argocdGitOps({ settings: section, ...ground }: GitOpsGround<ArgocdSection>): GitOps {
  const settings = complete(section);
  return {
    name: 'argocd',
    warnings: [],
    resources: (context) => {
      const login = repositoryLogin(settings, ground, context);
      const chart = onceHandedOver(argocdChart(settings, context, context.needs), context);
      const before = [...login, chart];
      const needs = before.map(({ id }) => id);
      return [...before, rootBootstrap(settings, context, needs), rootSync(context)];
    },
  };
}

function repositoryLogin(
  settings: ArgocdSettings,
  { cloud, verifyEvery }: Ground,
  context: GitOpsContext,
): readonly Resource[] {
  const wish = repositorySecret(settings);
  if (wish === undefined) {
    return [];
  }
  const secret = clusterSecret(wish, {
    vault: cloud,
    condition: 'GitOps',
    needs: context.needs,
    kubeconfig: context.kubeconfig,
    verifyEvery,
    severity: forPerson,
    ifOwned: 'Remove the login from gitops.argocd, or let the other program give up the key.',
  });
  return [onceHandedOver(secret, context)];
}

/**
 * Makes the faults of a Resource non-blocking once the root Application exists, because the state of the Application is
 * then more informative.
 */
function onceHandedOver(resource: Resource, { kubeconfig }: GitOpsContext): Resource {
  return nonBlocking(resource, async (host: HostReader) => {
    return hasRoot(host, await readKubeconfig(host, kubeconfig));
  });
}

function complete(settings: ArgocdSection): ArgocdSettings {
  const { url, path } = settings;
  if (url !== undefined && path !== undefined) {
    return { ...settings, url, path };
  }
  throw new NodeError(
    'InvalidSettings',
    'gitops.argocd.url or gitops.argocd.path is not set; set both to the repository and the folder of this cluster.',
  );
}
