import { given, mapAt, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';
import { type FluxProvider, fluxProviders, providerNames } from './providers.ts';

/** Lists missing settings and contradictions in the section `gitops.flux` of a node that uses Flux. */
export function fluxMisfits(written: Written, settings: Written): readonly Problem[] {
  return [
    ...secondSecret(written, mapAt(settings, ['workloads', 'secrets'])),
    ...providerMisfits(written),
    ...repositoryMisfits(written),
    ...keyMisfits(written),
    ...missingControllers(written),
  ];
}

/** Reports an entry for Flux's Git Secret in `workloads.secrets` if Slipway already writes the token to that Secret. */
function secondSecret({ tokenAuth }: Written, secrets: Written): readonly Problem[] {
  const name = 'flux-system/flux-system';
  const message = `writes the Secret ${name}, as does workloads.secrets; take it out of workloads.secrets`;
  return tokenAuth !== false && given(secrets[name]) ? [{ path: ['tokenSecretName'], message }] : [];
}

function providerMisfits(flux: Written): readonly Problem[] {
  if (!given(flux.provider)) {
    return [
      { path: ['provider'], message: `is missing; set it to ${providerNames()}, as engine flux needs` },
    ];
  }
  const provider = String(flux.provider);
  const { needs = [], foreign = [] } = providerOf(flux) ?? {};
  return [
    ...needs
      .filter((key) => !given(flux[key]))
      .map((key) => ({ path: [key], message: `is missing; set it, as provider ${provider} needs` })),
    ...foreign
      .filter((key) => given(flux[key]) && flux[key] !== false)
      .map((key) => ({ path: [key], message: `does not go with provider ${provider}; leave it out` })),
  ];
}

/** Returns the provider that the settings name; `undefined` if it is missing or unknown. */
function providerOf({ provider }: Written): FluxProvider | undefined {
  return Object.entries(fluxProviders).find(([name]) => name === provider)?.[1];
}

function repositoryMisfits(flux: Written): readonly Problem[] {
  const { repository } = flux;
  const message =
    'must be only the name of the repository such as fleet; set hostname and owner (with the groups at GitLab) to the rest';
  const isNamed = providerOf(flux)?.needs.includes('repository') ?? true;
  const isLonger = isNamed && typeof repository === 'string' && repository.includes('/');
  return isLonger ? [{ path: ['repository'], message }] : [];
}

/**
 * Reports `tokenAuth: false` for a Git host to which flux cannot add a deploy key. There, flux would also make a new
 * key at each attempt, because with a token it does not keep an existing Secret (fluxcd/flux2 pkg/bootstrap,
 * ReconcileSourceSecret).
 */
function keyMisfits(flux: Written): readonly Problem[] {
  const message = `does not go with provider ${flux.provider}, since flux cannot add its key to the Git host; leave it out, so Flux uses the token`;
  return providerOf(flux)?.addsKeys === false && flux.tokenAuth === false
    ? [{ path: ['tokenAuth'], message }]
    : [];
}

/**
 * Reports a missing source-controller or kustomize-controller: Flux does not bootstrap without them (fluxcd/flux2,
 * cmd/flux/bootstrap.go).
 */
function missingControllers({ components }: Written): readonly Problem[] {
  const missing = ['source-controller', 'kustomize-controller'].filter(
    (controller) => Array.isArray(components) && !components.includes(controller),
  );
  const message = `lacks ${missing.join(' and ')}, without which Flux cannot follow a repository; add what is missing`;
  return missing.length === 0 ? [] : [{ path: ['components'], message }];
}
