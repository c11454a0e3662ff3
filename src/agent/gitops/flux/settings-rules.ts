import { given, type Problem } from '../../settings/path.ts';
import type { Written } from '../../settings/section.ts';

/** Lists contradictions in the section `gitops.flux` of a node that uses Flux. */
export function fluxMisfits(written: Written): readonly Problem[] {
  return [...providerMisfits(written), ...missingControllers(written)];
}

const hosted = { needs: ['owner', 'repository', 'path'], foreign: ['url'] };
const providers: ReadonlyMap<string, typeof hosted> = new Map([
  ['github', hosted],
  ['gitlab', hosted],
  ['git', { needs: ['url', 'path'], foreign: ['owner', 'repository', 'hostname', 'personal'] }],
]);

function providerMisfits(flux: Written): readonly Problem[] {
  if (!given(flux.provider)) {
    return [
      { path: ['provider'], message: 'is missing; set it to github, gitlab or git, as engine flux needs' },
    ];
  }
  const provider = String(flux.provider);
  const { needs, foreign } = providers.get(provider) ?? { needs: [], foreign: [] };
  return [
    ...needs
      .filter((key) => !given(flux[key]))
      .map((key) => ({ path: [key], message: `is missing; set it, as provider ${provider} needs` })),
    ...foreign
      .filter((key) => given(flux[key]) && flux[key] !== false)
      .map((key) => ({ path: [key], message: `does not go with provider ${provider}; leave it out` })),
  ];
}

/**
 * Lists a problem if source-controller or kustomize-controller is missing, without which Flux does not bootstrap
 * (fluxcd/flux2, cmd/flux/bootstrap.go).
 */
function missingControllers({ components }: Written): readonly Problem[] {
  const missing = ['source-controller', 'kustomize-controller'].filter(
    (controller) => Array.isArray(components) && !components.includes(controller),
  );
  const message = `lacks ${missing.join(' and ')}, without which Flux cannot follow a repository; add what is missing`;
  return missing.length === 0 ? [] : [{ path: ['components'], message }];
}
