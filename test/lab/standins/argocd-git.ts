/**
 * Finds the login for a repository as Argo CD's repo-server does: in the Secret labelled `repository` with the same URL
 * if it contains a login; otherwise in the Secret labelled `repo-creds` whose URL is the longest prefix of the
 * repository's URL.
 *
 * Models argoproj/argo-cd util/db/repository_secrets.go and util/git/git.go (NormalizeGitURL).
 */
import type { ApiObject, Objects } from './k3s-objects.ts';

/** The values of the Secret with the login; empty if no Secret matches the repository. */
export type GitLogin = Readonly<Record<string, string>>;

/** A Git host as the repo-server sees it. */
export interface GitHost {
  /** Returns the commit and the content of a revision, or git's error message. */
  fetch(url: string, revision: string, login: GitLogin): Fetched | { readonly error: string };
}

export interface Fetched {
  readonly commit: string;
  /** The objects in each folder of the repository, by the path of the folder. */
  readonly folders: Readonly<Record<string, readonly ApiObject[]>>;
  /** The health of the applied objects; Healthy by default. */
  readonly health?: { readonly status: string; readonly message?: string };
}

const typeLabel = 'argocd.argoproj.io/secret-type';

export function loginFor(objects: Objects, namespace: string, repoUrl: string): GitLogin {
  const secrets = (type: string) =>
    objects
      .list('secrets', namespace)
      .filter(({ metadata }) => Object(metadata.labels)[typeLabel] === type)
      .map(valuesOf);
  const own = secrets('repository').find(({ url = '' }) => normalized(url) === normalized(repoUrl));
  if (own !== undefined && hasLogin(own)) {
    return own;
  }
  const prefixes = secrets('repo-creds').filter(({ url = '' }) =>
    normalized(repoUrl).startsWith(normalized(url)),
  );
  const [longest = {}] = prefixes.toSorted((a, b) => (b.url ?? '').length - (a.url ?? '').length);
  return longest;
}

function hasLogin({ password, sshPrivateKey, githubAppPrivateKey }: GitLogin): boolean {
  return [password, sshPrivateKey, githubAppPrivateKey].some((value) => value !== undefined);
}

function valuesOf({ data }: ApiObject): GitLogin {
  const entries = Object.entries<string>(Object(data));
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

export function normalized(url: string): string {
  const lower = url.trim().toLowerCase();
  const whole = lower.includes('://') ? lower : `ssh://${lower.replace(':', '/')}`;
  return whole.replace(/\.git$/, '').replace(/^ssh:\/\//, '');
}
