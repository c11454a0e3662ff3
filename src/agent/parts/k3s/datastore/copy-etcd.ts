import type { DatabaseFacts } from '../../../engine/database.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { etcdPath, etcdQueries } from './etcd-queries.ts';
import { removeOwnSnapshots, saveSnapshot } from './save-snapshot.ts';

const gigabyte = 1024 ** 3;

/**
 * Returns the size of etcd's database, and the free bytes without which no copy is made: for the snapshot of K3s, for
 * the copy of it, and for the defragmentation of etcd when K3s starts. `undefined` before the first start of K3s.
 */
export async function etcdSize(
  host: HostReader,
  paths: NodePaths,
): Promise<{ readonly bytes: number; readonly room: number } | undefined> {
  const bytes = (await host.stat(etcdPath(paths)))?.size;
  return bytes === undefined ? undefined : { bytes, room: 3 * bytes + gigabyte };
}

/**
 * Copies the etcd of this server: K3s saves a snapshot, which is moved to `to` and read back. Returns the facts about
 * the copy. Removes what an earlier attempt has left, and no snapshot of K3s's own.
 *
 * Throws `CopyDeclined` without the room, `SnapshotFailed` with K3s's words, and `DatabaseDamaged` if the copy is not
 * whole.
 */
export async function copyEtcd(
  host: Host,
  node: K3sNode,
  { to, room }: { readonly to: string; readonly room: number },
  signal: AbortSignal,
): Promise<DatabaseFacts> {
  await removeOwnSnapshots(host, node);
  await requireRoom(host, node.paths, room);
  const { path } = await saveSnapshot(host, node, signal);
  try {
    await host.remove(to);
    await host.copyFile(path, to, signal);
  } finally {
    await removeOwnSnapshots(host, node).catch(keptUntilNext);
  }
  const facts = await host.readSnapshot(to, etcdQueries);
  if (facts === undefined) {
    throw new NodeError('FileSystemError', `${to} disappeared while it was read. It is copied again.`, {
      blocks: false,
    });
  }
  return facts;
}

/** Ignores that K3s does not remove the snapshot: the next copy removes it. */
function keptUntilNext(thrown: unknown): void {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}

/** Throws `CopyDeclined` unless the file systems of the datastore and of the copies have the free bytes. */
async function requireRoom(host: HostReader, { k3s, slipway }: NodePaths, room: number): Promise<void> {
  for (const path of [k3s.datastore, slipway.state]) {
    const free = await freeBytes(host, path);
    if (free < room) {
      throw new NodeError(
        'CopyDeclined',
        `The datastore was not copied, and so what needs a copy waits: it needs ${megabytes(room)} MB of free space in ${path}, and ` +
          `${megabytes(free)} MB are free. Free some space, or make the disk larger.`,
        advisory,
      );
    }
  }
}

/** Returns the free bytes of the file system at a path; no limit if the system does not tell. */
export async function freeBytes(host: HostReader, path: string): Promise<number> {
  const look = { file: 'stat', args: ['--file-system', '--format=%a %S', '--', path] };
  const { stdout } = await host.query(look);
  const [blocks, size] = stdout.trim().split(' ').map(Number);
  const free = (blocks ?? Number.NaN) * (size ?? Number.NaN);
  return Number.isNaN(free) ? Number.POSITIVE_INFINITY : free;
}

/** Returns a size in megabytes, for messages. */
export function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 ** 2);
}
