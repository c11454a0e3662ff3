import { posix } from 'node:path';
import type { FluxSettings } from './settings.ts';

/** Returns a sync path in the form of Flux's Kustomization: `./clusters/prod`, or `./` for the whole repository. */
export function syncPath(path: string | undefined): string {
  const relative = posix.join('/', path ?? '').replace(/\/+$/, '');
  return `./${relative.slice(1)}`;
}

/** Returns warnings about valid settings that are likely to have an unexpected effect. */
export function fluxWarnings(settings: Pick<FluxSettings, 'path'>): readonly string[] {
  const path = syncPath(settings.path);
  if (posix.basename(path) !== 'flux-system') {
    return [];
  }
  const written = `${path.slice(2)}/flux-system`;
  return [
    `gitops.flux.path ends in flux-system, so Flux keeps its own manifests in ${written}; ` +
      `a kustomization.yaml in ${path.slice(2)} that does not list flux-system leaves them out. ` +
      'The parent folder is the usual path.',
  ];
}
