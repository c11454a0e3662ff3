import { posix } from 'node:path';
import type { Parsed } from './flux-flags.ts';
import { reportHealth } from './flux-health.ts';
import {
  applySource,
  applySync,
  crds,
  install,
  namespace,
  sources,
  syncOf,
  version,
} from './flux-objects.ts';
import { reachRepository } from './flux-provider.ts';
import { type Repository, repositoryAt } from './flux-repository.ts';
import { reconcileSecret } from './flux-secret.ts';
import type { Objects } from './k3s-objects.ts';

const defaultComponents = [
  'source-controller',
  'kustomize-controller',
  'helm-controller',
  'notification-controller',
];
const knownComponents = [
  ...defaultComponents,
  'image-reflector-controller',
  'image-automation-controller',
  'source-watcher',
];

export type Say = (mark: '►' | '✔' | '◎' | '✗' | '⚠️', text: string) => void;

/**
 * Returns the components to install. Throws flux's error if a required component is missing or a component is unknown
 * (bootstrapValidate).
 */
export function componentsOf(flags: Parsed): readonly string[] {
  const components = [...flags.list('components', defaultComponents), ...flags.list('components-extra', [])];
  for (const required of ['source-controller', 'kustomize-controller']) {
    if (!components.includes(required)) {
      throw new Error(`component ${required} is required`);
    }
  }
  const unknown = components.find((component) => !knownComponents.includes(component));
  if (unknown !== undefined) {
    throw new Error(`component ${unknown} is not available`);
  }
  return components;
}

/** The token, and the content of the file in --ca-file; `ca` is `undefined` without this flag. */
export interface Given {
  readonly token: string;
  readonly ca: string | undefined;
}

/** Performs the steps of `flux bootstrap` in the order of Run in pkg/bootstrap; rejects with flux's errors. */
export async function bootstrap(
  flags: Parsed,
  cluster: Objects,
  { token, ca }: Given,
  say: Say,
): Promise<void> {
  const components = componentsOf(flags);
  if (flags.command !== 'bootstrap gitea') {
    confirmBootstrap(flags, cluster);
  }
  const url = await reachRepository(flags, cluster, token, say);
  const branch = flags.text('branch', 'main');
  const path = relativePath(flags.text('path'));
  const repository = repositoryAt(cluster.directory, url, branch);
  say('✔', 'cloned repository');

  reconcileComponents({ repository, cluster, url, branch, path, components, say });
  reconcileSecret({ flags, cluster, token, ca, url, path, say });
  reconcileSync({ flags, cluster, repository, url, branch, path, say });
  const revision = `${branch}@sha1:${repository.head()}`;
  await reportHealth({ cluster, components, revision, timeout: milliseconds(flags), say });
}

/**
 * Returns the time limit in --timeout, by default 5m, in milliseconds. Of the units of Go's durations, supports only
 * ms, s, m and h.
 */
function milliseconds(flags: Parsed): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  const parts = [...flags.text('timeout', '5m').matchAll(/([\d.]+)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (units[unit] ?? 0), 0);
}

/**
 * Throws promptui's `^D` if another tool installed Flux and --force is missing, because flux would then request a
 * confirmation, and has no terminal.
 */
function confirmBootstrap(flags: Parsed, cluster: Objects): void {
  const labels: Record<string, string> = Object(cluster.get(crds, undefined, sources)?.metadata.labels);
  const manager = labels['app.kubernetes.io/managed-by'] ?? 'flux';
  if (manager !== 'flux' && !flags.on('force')) {
    throw new Error('^D');
  }
}

/** Normalizes a path as flags.SafeRelativePath does: resolves `.` and `..`, and never leaves the repository. */
function relativePath(path: string): string {
  return `./${posix.join('/', path.trim()).slice(1)}`;
}

interface Components {
  readonly repository: Repository;
  readonly cluster: Objects;
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly components: readonly string[];
  readonly say: Say;
}

/**
 * Commits the component manifests, and installs them if the Kustomization is missing or has not applied a revision
 * (mustInstallManifests).
 */
function reconcileComponents({ repository, cluster, url, branch, path, components, say }: Components): void {
  say('►', 'generating component manifests');
  const manifest = `# flux v${version}: ${components.join(', ')}\n`;
  say('✔', 'generated component manifests');
  const changed = repository.commit(posix.join(path, namespace, 'gotk-components.yaml'), manifest);
  reportCommit(changed, 'component', repository, { url, branch }, say);
  if (!syncOf(cluster)?.status?.lastAppliedRevision) {
    say('►', `installing components in "${namespace}" namespace`);
    install(cluster, components);
    say('✔', 'installed components');
  }
  say('✔', 'reconciled components');
}

/** Reports a commit and its push, or that nothing changed. */
function reportCommit(
  changed: boolean,
  what: 'component' | 'sync',
  repository: Repository,
  { url, branch }: { readonly url: string; readonly branch: string },
  say: Say,
): void {
  if (!changed) {
    say('✔', `${what} manifests are up to date`);
    return;
  }
  say('✔', `committed ${what} manifests to "${branch}" ("${repository.head()}")`);
  say('►', `pushing ${what} manifests to "${url}"`);
}

interface Sync {
  readonly flags: Parsed;
  readonly cluster: Objects;
  readonly repository: Repository;
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly say: Say;
}

function reconcileSync({ flags, cluster, repository, url, branch, path, say }: Sync): void {
  const existing = syncOf(cluster);
  if (existing && normalised(existing.spec.path ?? '') !== normalised(path)) {
    throw new Error(
      `sync path configuration ("${path}") would overwrite path ("${existing.spec.path}") of existing Kustomization`,
    );
  }
  say('►', 'generating sync manifests');
  const folder = posix.join(path, namespace);
  const changed = [
    repository.commit(posix.join(folder, 'gotk-sync.yaml'), `# ${url} ${branch} ${path}\n`),
    repository.commit(posix.join(folder, 'kustomization.yaml'), '# gotk-components.yaml, gotk-sync.yaml\n'),
  ];
  say('✔', 'generated sync manifests');
  reportCommit(changed.includes(true), 'sync', repository, { url, branch }, say);
  say('►', 'applying sync manifests');
  const revision = `${branch}@sha1:${repository.head()}`;
  applySource(flags, cluster, { url, branch, revision });
  applySync(cluster, path, revision);
  say('✔', 'reconciled sync configuration');
}

/** Normalizes a path for a comparison as in kustomizationPathDiffers: with a leading `./`, without a trailing `/`. */
function normalised(path: string): string {
  const trimmed = path.length > 2 ? path.replace(/\/$/, '') : path;
  return `./${trimmed.replace(/^\.\//, '')}`;
}
