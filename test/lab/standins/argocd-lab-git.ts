/** The Git host of the lab as Argo CD sees it: folders of YAML files, and one accepted token. */
import { posix } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Fetched, GitHost } from './argocd-git.ts';
import { isAccepted, repositoryAt } from './flux-repository.ts';
import type { ApiObject } from './k3s-objects.ts';

/**
 * Returns the Git host that is stored next to the folder `objects`. All repositories are private, and HEAD is the
 * branch `main`.
 */
export function labGitHost(objects: string): GitHost {
  return {
    fetch(url, revision, { password = '' }) {
      const repository = repositoryAt(objects, url, revision === 'HEAD' ? 'main' : revision);
      const files = Object.entries(repository.files());
      if (!isAccepted(objects, password)) {
        return { error: 'failed to list refs: authentication required: Repository not found.' };
      }
      return files.length === 0
        ? { error: `unable to resolve '${revision}' to a commit SHA` }
        : { commit: repository.head(), folders: foldersOf(files) };
    },
  };
}

function foldersOf(files: readonly (readonly [string, string])[]): Fetched['folders'] {
  const folders: Record<string, readonly ApiObject[]> = {};
  for (const [path, text] of files.filter(([name]) => name.endsWith('.yaml'))) {
    const objects: readonly ApiObject[] = parseAllDocuments(text).flatMap(
      (document) => document.toJS() ?? [],
    );
    const folder = posix.dirname(path);
    folders[folder] = [...(folders[folder] ?? []), ...objects];
  }
  return folders;
}
