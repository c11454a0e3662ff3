import { NodeError } from '../../engine/errors.ts';
import type { Change } from '../../engine/resource.ts';
import { advisory } from '../../engine/severity.ts';
import { withoutLogins } from '../../engine/url-login.ts';
import { fieldManager } from '../../kubernetes/api.ts';
import { type Application, type ApplicationSource, argocdNamespace, rootName } from './application.ts';
import { isSameRepository } from './repository-url.ts';
import type { ArgocdSettings } from './settings.ts';

/**
 * Returns the differences between the source of the root Application and the settings. Ignores differences in the
 * spelling of the same URL or path.
 */
export function sourceChanges({ spec }: Application, settings: ArgocdSettings): readonly Change[] {
  const { repoURL, path, targetRevision } = spec?.source ?? {};
  const url = repoURL ?? '';
  return [
    {
      field: 'url',
      observed: isSameRepository(url, settings.url) ? settings.url : withoutLogins(url),
      desired: settings.url,
    },
    { field: 'revision', observed: targetRevision || 'HEAD', desired: settings.revision },
    {
      field: 'path',
      observed: folder(path) === folder(settings.path) ? settings.path : (path ?? ''),
      desired: settings.path,
    },
  ].filter(({ observed, desired }) => observed !== desired);
}

/**
 * True if two sources have the same URL, revision and path. A missing field counts as empty, because Argo CD omits an
 * empty field from one of them.
 */
export function isSameSource(one: ApplicationSource, other: ApplicationSource): boolean {
  const fields = ['repoURL', 'targetRevision', 'path'] as const;
  return fields.every((field) => (one?.[field] ?? '') === (other?.[field] ?? ''));
}

function folder(path: string | null | undefined): string {
  return (path ?? '').replace(/^(\.\/)+|\/+$/g, '');
}

/** True if Slipway applied the source of the root Application and nothing else has changed it since. */
export function isSourceOurs({ metadata }: Application): boolean {
  const ours = metadata.managedFields?.find(
    ({ manager, operation }) => manager === fieldManager && operation === 'Apply',
  );
  const fields = Object(Object(Object(ours?.fieldsV1)['f:spec'])['f:source']);
  return ['f:repoURL', 'f:path', 'f:targetRevision'].every((field) => field in fields);
}

/**
 * Returns the error for a root Application that differs from the settings: `BootstrapPathDiffers` if only the path
 * differs, otherwise `BootstrapSourceDiffers`.
 */
export function sourceDiffers(changes: readonly Change[]): NodeError {
  const [first] = changes;
  const told = changes.map(({ field, observed, desired }) => `${field} ${observed} in place of ${desired}`);
  const repair = changes.map(({ field, observed }) => `${field}: ${observed}`).join(', ');
  return new NodeError(
    first?.field === 'path' ? 'BootstrapPathDiffers' : 'BootstrapSourceDiffers',
    `Argo CD follows ${told.join(', ')} of gitops.argocd; nothing was changed. Set ${repair} in gitops.argocd, or ` +
      `change spec.source of the Application ${argocdNamespace}/${rootName}.`,
    advisory,
  );
}
