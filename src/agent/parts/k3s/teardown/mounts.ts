import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import { unless } from '../../../resources/combinators.ts';
import { fileText } from '../../../resources/file-text.ts';
import { realPath } from '../../../resources/real-path.ts';
import { noneOf, removed, removing } from '../../../resources/removed.ts';

export const unmountedId = 'Unmounted/k3s';

/**
 * Unmounts every mount point whose path begins with one of these prefixes, after resolving links in the prefixes'
 * directories. A mount in use is detached (umount(8), --lazy), so that no process can reach it by its path.
 */
export function unmounted(prefixes: readonly string[], needs: readonly string[], root = '/'): Resource {
  return {
    id: unmountedId,
    summary: 'unmount what K3s mounted',
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const points = await pointsLike(host, prefixes, root);
      if (points.length === 0) {
        return inSync();
      }
      const changes = points.map((field) => ({ field, observed: 'mounted', desired: undefined }));
      const summary = `unmount what K3s mounted: ${points.length} places`;
      return {
        state: 'Drifted',
        drift: { changes, summary, remedy: (host) => unmountAll(host, prefixes, root) },
      };
    },
  };
}

/**
 * Unmounts in rounds while the number of mounts decreases: one mount may have hidden another, and a mount that vanished
 * together with its copy is not a failure. Throws `CommandFailed` if a round does not decrease the number.
 */
async function unmountAll(host: Host, prefixes: readonly string[], root: string): Promise<void> {
  let points = await pointsLike(host, prefixes, root);
  while (points.length > 0) {
    const failure = await failureOf(host.run(unmounting(points)));
    const left = await pointsLike(host, prefixes, root);
    if (left.length >= points.length) {
      throw failure ?? notUnmounted(left);
    }
    points = left;
  }
}

function unmounting(points: readonly string[]): Command {
  return { file: 'umount', args: ['--lazy', '--', ...new Set(points)] };
}

async function failureOf(attempt: Promise<unknown>): Promise<unknown> {
  return attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

async function pointsLike(
  host: HostReader,
  prefixes: readonly string[],
  root: string,
): Promise<readonly string[]> {
  const real = await Promise.all(prefixes.map((each) => realPrefix(host, each, root)));
  return (await mountPoints(host)).filter((point) => real.some((each) => point.startsWith(each)));
}

/** Resolves the links in a prefix up to its last slash; the rest is only the beginning of a name, and is kept. */
async function realPrefix(host: HostReader, prefix: string, root: string): Promise<string> {
  const at = prefix.lastIndexOf('/') + 1;
  return join(await realPath(host, prefix.slice(0, at), root), '/') + prefix.slice(at);
}

/**
 * Deletes the directory. Only empties it if it is a mount or a link, such as a disk for the K3s data. Throws
 * `FileSystemError` if something is mounted in the directory, since the content of that mount would be deleted too.
 */
export function emptied(path: string, needs: readonly string[], root = '/'): Resource {
  const gone = removed({ path, condition: 'K3sBinary', needs });
  return unless(gone, async (host) => {
    await nothingMountedIn(host, path, root);
    if (!(await leadsElsewhere(host, path, root))) {
      return undefined;
    }
    const names = await host.list(path);
    const summary = `empty ${path}, which is a mount or a link of its own and stays`;
    return noneOf(names, { summary, remedy: removing(names.map((name) => join(path, name))) });
  });
}

/** Throws `FileSystemError` if something is mounted below the directory, and would be deleted with the directory. */
export async function nothingMountedIn(host: HostReader, path: string, root: string): Promise<void> {
  const real = await realPath(host, path, root);
  const inside = (await mountPoints(host)).filter((point) => point.startsWith(`${real}/`));
  if (inside.length > 0) {
    throw stillMounted(path, inside);
  }
}

/** True if a path is a link or a mount point, so that it cannot be moved with its content. */
export async function leadsElsewhere(host: HostReader, path: string, root: string): Promise<boolean> {
  if ((await host.stat(path))?.kind === 'link') {
    return true;
  }
  return (await mountPoints(host)).includes(await realPath(host, path, root));
}

/**
 * Returns every mount point of this mount namespace, the latest first, so that an inner mount comes before the outer
 * one (proc_mounts(5)).
 */
async function mountPoints(host: HostReader): Promise<readonly string[]> {
  const table = await fileText(host, '/proc/mounts');
  const points = table.split('\n').flatMap((line) => line.split(' ')[1] ?? []);
  return points.map(unescaped).reverse();
}

/** Decodes blanks and similar characters, which /proc/mounts writes as octal codes such as `\040`. */
function unescaped(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
}

function notUnmounted(points: readonly string[]): NodeError {
  return new NodeError(
    'CommandFailed',
    `Still mounted, though umount reported no failure: ${points.join(', ')}. Something mounts it again; stop that.`,
  );
}

function stillMounted(path: string, inside: readonly string[]): NodeError {
  return new NodeError(
    'FileSystemError',
    `${path} was not deleted, because something is mounted in it that would be deleted with it: ${inside.join(', ')}. ` +
      'Unmount it, and run this again.',
  );
}
