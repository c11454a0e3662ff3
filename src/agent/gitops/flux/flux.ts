import type { Cloud } from '../../clouds/cloud.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Settings } from '../../settings/schema.ts';
import type { GitOps } from '../gitops.ts';
import { fluxBootstrap } from './flux-bootstrap.ts';
import { fluxWarnings } from './flux-path.ts';
import { fluxExecutable } from './flux-release.ts';
import { fluxSync } from './flux-sync.ts';

type Configured = Settings['gitops']['flux'];

/** The settings of an engine that is in use, so its provider is known. */
export type FluxSettings = Configured & { readonly provider: NonNullable<Configured['provider']> };

export interface FluxSpec {
  readonly settings: FluxSettings;
  /** Whose vault holds the Git token. */
  readonly cloud: Pick<Cloud, 'secret'>;
}

/**
 * Flux: its CLI, one bootstrap, and from then on a look at whether the repository is applied. `InvalidSettings` where
 * the provider is not set.
 */
export function fluxGitOps(spec: Omit<FluxSpec, 'settings'> & { readonly settings: Configured }): GitOps {
  const inUse = { ...spec, settings: withProvider(spec.settings) };
  return {
    name: 'flux',
    warnings: fluxWarnings(inUse.settings),
    resources: (context) => [
      fluxExecutable(inUse.settings, context),
      fluxBootstrap(inUse, context),
      fluxSync(context),
    ],
  };
}

function withProvider(settings: Configured): FluxSettings {
  const { provider } = settings;
  if (provider !== undefined) return { ...settings, provider };
  throw new NodeError('InvalidSettings', 'gitops.flux.provider is not set; set it to github, gitlab or git.');
}
