import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readIfThere } from './flux-cluster.ts';

/** One branch of a repository on the lab's Git host, stored as a folder of files. */
export interface Repository {
  /** Writes a file; returns true if its content has changed. */
  commit(path: string, text: string): boolean;
  /** Returns the ID of the current commit, a hash of all files. */
  head(): string;
  /** Returns the content of each file, by its path in the repository. */
  files(): Readonly<Record<string, string>>;
}

/** Returns a branch of the repository at this URL. Its files are in the folder `git` next to the folder `objects`. */
export function repositoryAt(objects: string, url: string, branch: string): Repository {
  const { host, pathname } = new URL(url);
  const folder = join(
    dirname(objects),
    'git',
    host,
    pathname.replace(/\.git$/, ''),
    encodeURIComponent(branch),
  );
  return {
    commit: (path, text) => {
      const file = join(folder, path);
      if (readIfThere(file) === text) {
        return false;
      }
      replace(file, text);
      return true;
    },
    head: () => idOf(folder),
    files: () =>
      Object.fromEntries(filesIn(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')])),
  };
}

export function isAccepted(objects: string, token: string): boolean {
  const known = readIfThere(join(dirname(objects), 'git-token.sha256'))?.trim();
  return known === createHash('sha256').update(token).digest('hex');
}

function idOf(folder: string): string {
  const hash = createHash('sha1');
  for (const file of filesIn(folder)) {
    hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex');
}

function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) {
    return [];
  }
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

/** Writes to a temporary file and renames it, so that a kill leaves the old file or the new one. */
function replace(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, text);
  renameSync(draft, path);
}
