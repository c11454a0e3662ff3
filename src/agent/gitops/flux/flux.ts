import { NodeError } from '../../engine/errors.ts';
import type { GitOpsEngine, GitOpsGround } from '../engine.ts';
import type { GitOps } from '../gitops.ts';
import { fluxBootstrap } from './flux-bootstrap.ts';
import { fluxWarnings } from './flux-path.ts';
import { fluxExecutable } from './flux-release.ts';
import { repositoryUrl } from './flux-repository.ts';
import { fluxSync } from './flux-sync.ts';
import { fluxToken } from './flux-token.ts';
import { providerNames } from './providers.ts';
import { type FluxSection, type FluxSettings, fluxSettings } from './settings.ts';

export const flux = {
  settings: fluxSettings,
  programs: ['flux'],
  secrets: ({ tokenSecretName }) => [tokenSecretName],
  endpoints: ({ provider, ...place }) =>
    provider === undefined ? [] : [repositoryUrl({ ...place, provider })].filter((url) => url !== undefined),
  create: fluxGitOps,
} as const satisfies GitOpsEngine<typeof fluxSettings.schema>;

/**
 * Makes the adapter for Flux. It installs the CLI, bootstraps the cluster once, then keeps the Git token in the cluster
 * up to date and checks that Flux applies the repository. Throws `InvalidSettings` if the settings have no provider.
 */
export function fluxGitOps({ settings, ...ground }: GitOpsGround<FluxSection>): GitOps {
  const spec = { ...ground, settings: withProvider(settings) };
  return {
    name: 'flux',
    warnings: fluxWarnings(spec.settings),
    resources: (context) => [
      fluxExecutable(spec.settings, context),
      fluxBootstrap(spec, context),
      ...fluxToken(spec, context),
      fluxSync(context),
    ],
  };
}

function withProvider(settings: FluxSection): FluxSettings {
  const { provider } = settings;
  if (provider !== undefined) {
    return { ...settings, provider };
  }
  throw new NodeError('InvalidSettings', `gitops.flux.provider is not set; set it to ${providerNames()}.`);
}
