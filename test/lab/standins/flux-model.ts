import { posix } from 'node:path';
import type { Parsed } from './flux-flags.ts';
import {
  crds,
  install,
  namespace,
  sourceObject,
  sources,
  syncObject,
  syncOf,
  syncs,
  version,
} from './flux-objects.ts';
import { reachRepository } from './flux-provider.ts';
import { type Repository, repositoryAt } from './flux-repository.ts';
import { writeFluxSecret } from './flux-secret.ts';
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

export type Say = (mark: '►' | '✔' | '◎' | '✗', text: string) => void;

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

/** Performs the steps of `flux bootstrap` in the order of Run in pkg/bootstrap; throws flux's errors. */
export function bootstrap(flags: Parsed, cluster: Objects, token: string, say: Say): void {
  const components = componentsOf(flags);
  if (flags.command !== 'bootstrap gitea') {
    confirmBootstrap(flags, cluster);
  }
  const url = reachRepository(flags, cluster, token, say);
  const branch = flags.text('branch', 'main');
  const path = relativePath(flags.text('path'));
  const repository = repositoryAt(cluster.directory, url, branch);
  say('✔', 'cloned repository');

  reconcileComponents({ repository, cluster, path, components, say });
  reconcileSecret(flags, cluster, token, say);
  const revision = () => `${branch}@sha1:${repository.head()}`;
  reconcileSync({ flags, cluster, repository, url, branch, path, revision, say });
  reportHealth(cluster, components, say);
}

/**
 * Throws promptui's `^D` if another tool installed Flux and --force is missing, since flux then requests a confirmation
 * and has no terminal.
 */
function confirmBootstrap(flags: Parsed, cluster: Objects): void {
  const labels: Record<string, string> = Object(cluster.get(crds, undefined, sources)?.metadata.labels);
  const manager = labels['app.kubernetes.io/managed-by'] ?? 'flux';
  if (manager !== 'flux' && !flags.on('force')) {
    throw new Error('^D');
  }
}

/** Normalizes a path like flags.SafeRelativePath: flattened, and never above the repository. */
function relativePath(path: string): string {
  return `./${posix.join('/', path.trim()).slice(1)}`;
}

interface Components {
  readonly repository: Repository;
  readonly cluster: Objects;
  readonly path: string;
  readonly components: readonly string[];
  readonly say: Say;
}

/**
 * Commits the component manifests, and installs them if the Kustomization is missing or has applied nothing
 * (mustInstallManifests).
 */
function reconcileComponents({ repository, cluster, path, components, say }: Components): void {
  say('►', 'generating component manifests');
  const manifest = `# flux v${version}: ${components.join(', ')}\n`;
  const changed = repository.commit(posix.join(path, namespace, 'gotk-components.yaml'), manifest);
  say('✔', changed ? 'committed component manifests' : 'component manifests are up to date');
  if (!syncOf(cluster)?.status?.lastAppliedRevision) {
    say('►', `installing components in "${namespace}" namespace`);
    install(cluster, components);
    say('✔', 'installed components');
  }
  say('✔', 'reconciled components');
}

/** Writes the source secret if it is missing, or if --token-auth is set, so that a second run stores a new token. */
function reconcileSecret(flags: Parsed, cluster: Objects, token: string, say: Say): void {
  const name = flags.text('secret-name', namespace);
  say('►', `determining if source secret "${namespace}/${name}" exists`);
  const exists = cluster.get('secrets', namespace, name) !== undefined;
  if (exists && !flags.on('token-auth')) {
    say('✔', 'source secret up to date');
    return;
  }
  const data = flags.on('token-auth')
    ? { username: userOf(flags), password: token }
    : { identity: 'a key pair of the lab' };
  say('►', `applying source secret "${namespace}/${name}"`);
  writeFluxSecret(cluster, data, name);
  say('✔', 'reconciled source secret');
}

/** Returns the user name in the source secret; a personal repository at Bitbucket belongs to its user. */
function userOf(flags: Parsed): string {
  const isPersonal = flags.command === 'bootstrap bitbucket-server' && flags.on('personal');
  return isPersonal ? flags.text('owner') : flags.text('username', 'git');
}

interface Sync {
  readonly flags: Parsed;
  readonly cluster: Objects;
  readonly repository: Repository;
  readonly url: string;
  readonly branch: string;
  readonly path: string;
  readonly revision: () => string;
  readonly say: Say;
}

function reconcileSync({ flags, cluster, repository, url, branch, path, revision, say }: Sync): void {
  const existing = syncOf(cluster);
  if (existing && normalised(existing.spec.path) !== normalised(path)) {
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
  say(
    '✔',
    changed.includes(true) ? `committed sync manifests to "${branch}"` : 'sync manifests are up to date',
  );
  say('►', 'applying sync manifests');
  cluster.put(sources, namespace, sourceObject(flags, url, branch, revision()));
  cluster.put(syncs, namespace, syncObject(path, revision(), existing));
  say('✔', 'reconciled sync configuration');
}

/** Normalizes a path for a comparison as in kustomizationPathDiffers: with a leading `./`, without a trailing `/`. */
function normalised(path: string): string {
  const trimmed = path.length > 2 ? path.replace(/\/$/, '') : path;
  return `./${trimmed.replace(/^\.\//, '')}`;
}

/**
 * Reports the health of the Kustomization, and every component as healthy. Throws if a condition of the Kustomization
 * is False, so that the exit code is 1 although all steps succeeded.
 */
function reportHealth(cluster: Objects, components: readonly string[], say: Say): void {
  say('◎', `waiting for Kustomization "${namespace}/${namespace}" to be reconciled`);
  const conditions = syncOf(cluster)?.status?.conditions;
  const failed = conditions?.find(({ status }) => status === 'False');
  say(failed ? '✗' : '✔', failed?.message ?? 'Kustomization reconciled successfully');
  say('►', 'confirming components are healthy');
  for (const component of components) {
    say('✔', `${component}: deployment ready`);
  }
  say('✔', 'all components are healthy');
  if (failed) {
    throw new Error(`bootstrap failed with 1 health check failure(s): ${failed.message}`);
  }
}
