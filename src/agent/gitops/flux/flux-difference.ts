import { NodeError } from '../../engine/errors.ts';
import type { Reason } from '../../engine/reasons.ts';
import { advisory } from '../../engine/severity.ts';
import type { FluxObject, FluxObjects } from './flux-objects.ts';
import { syncPath } from './flux-path.ts';
import { isRepository, repositoryName, withoutLogin } from './flux-repository.ts';
import type { FluxSettings } from './settings.ts';

/**
 * Throws `BootstrapPathDiffers` if Flux follows a path other than the one in the settings, and `BootstrapSourceDiffers`
 * for another repository or branch. Only a commit to gotk-sync.yaml can move Flux: `flux bootstrap` refuses another
 * path, and would overwrite the repository and branch (fluxcd/flux2 pkg/bootstrap, ReconcileSyncConfig).
 */
export function refuseDifference({ source, sync }: FluxObjects, settings: FluxSettings): void {
  const [path, wanted] = [syncPath(sync?.spec?.path ?? undefined), syncPath(settings.path)];
  if (path !== wanted) {
    throw differs('BootstrapPathDiffers', 'path', path, wanted, 'spec.path');
  }
  const other = sourceDifference(source, settings);
  if (other !== undefined) {
    throw other;
  }
  const { ref } = source?.spec ?? {};
  if (ref?.branch && ref.branch !== settings.branch) {
    throw differs('BootstrapSourceDiffers', 'branch', ref.branch, settings.branch, 'spec.ref.branch');
  }
}

/**
 * Returns `BootstrapSourceDiffers` if the URL of a GitRepository names a repository other than the one in the settings;
 * otherwise, or if there is no URL, `undefined`.
 */
export function sourceDifference(
  source: FluxObject | undefined,
  settings: FluxSettings,
): NodeError | undefined {
  const { url } = source?.spec ?? {};
  return url && !isRepository(settings, url)
    ? differs('BootstrapSourceDiffers', 'url', withoutLogin(url), repositoryName(settings), 'spec.url')
    : undefined;
}

const words = {
  path: ['at', 'gitops.flux.path', 'gitops.flux.path to'],
  url: ['from', 'gitops.flux', 'the repository in gitops.flux to'],
  branch: ['from branch', 'gitops.flux.branch', 'gitops.flux.branch to'],
} as const;

function differs(
  reason: Reason,
  what: keyof typeof words,
  found: string,
  wanted: string,
  field: string,
): NodeError {
  const [where, setting, repair] = words[what];
  return new NodeError(
    reason,
    `Flux is bootstrapped ${where} ${found}, but ${setting} says ${wanted}; nothing was changed. ` +
      `Set ${repair} ${found}, or change ${field} in gotk-sync.yaml by a commit.`,
    advisory,
  );
}
