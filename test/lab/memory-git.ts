import type { Fetched, GitHost, GitLogin } from './standins/argocd-git.ts';
import type { ApiObject } from './standins/k3s-objects.ts';

/**
 * An in-memory Git host with one repository. A test can change the repository's content and the login that the host
 * accepts.
 */
export interface MemoryGit extends GitHost {
  /** The token, SSH key or GitHub App key that the host accepts; `undefined` for a public repository. */
  password: string | undefined;
  commit: string;
  readonly folders: Record<string, readonly ApiObject[]>;
  health: Fetched['health'];
}

/**
 * Returns a Git host whose repository has these folders, all empty; the repository is public if `password` is
 * `undefined`.
 */
export function memoryGit(password: string | undefined, ...folders: readonly string[]): MemoryGit {
  const git: MemoryGit = {
    password,
    commit: '4f2e',
    folders: Object.fromEntries(folders.map((folder) => [folder, []])),
    health: undefined,
    fetch(_url, _revision, login) {
      const { commit, folders, health } = git;
      return git.password === undefined || shown(login) === git.password
        ? { commit, folders, ...(health && { health }) }
        : { error: 'failed to list refs: authentication required: Repository not found.' };
    },
  };
  return git;
}

function shown({ password, sshPrivateKey, githubAppPrivateKey }: GitLogin): string | undefined {
  return password ?? sshPrivateKey ?? githubAppPrivateKey;
}
