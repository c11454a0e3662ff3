/**
 * The sources of the previous release, from the history of this repository.
 *
 * After each release, its commit becomes the value of `previous` (RELEASE.md).
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/** The commit of the previous release; before the first release, the first commit that writes the current formats. */
export const previous = '045e4b66b7a4987b755ad5f6347b1fa0e7820f14';

const repository = join(import.meta.dirname, '..');

/** The reason why the sources of the previous release are not available; `undefined` if they are available. */
export const noPrevious: string | undefined = isKnown() ? undefined : `git has no commit ${previous} here`;

/** Returns the content of a file in the previous release; throws if git cannot read it. */
export function previousText(path: string): string {
  return git('show', `${previous}:${path}`).toString('utf8');
}

/** Copies the sources of the previous release into a folder, and adds a link to this checkout's node_modules. */
export function unpackPrevious(folder: string): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['-x', '-C', folder], { input: git('archive', '--format=tar', previous) });
  symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'));
}

function isKnown(): boolean {
  try {
    git('cat-file', '-e', `${previous}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

function git(...args: readonly string[]): Buffer {
  return execFileSync('git', args, {
    cwd: repository,
    maxBuffer: 256 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}
