/** Where `slipway restore` takes a copy from, and the list of the copies and backups that there are. */
import type { Host } from '../agent/engine/host.ts';
import { findBackup, idForm } from '../agent/parts/backup/index.ts';
import {
  datastoreCopies,
  type FreshServer,
  judgeCopy,
  judgeManifest,
  type RestorableCopy,
  restoreRefused,
} from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { backupsTable } from '../agent/report/backups-table.ts';
import { columns } from '../agent/report/text-layout.ts';
import type { Tell } from '../setup/perform.ts';
import { backupsOf, type NamedStore } from './backup-store.ts';

const gigabyte = 1024 ** 3;

/** What a person wants to restore; with `plan`, a backup is not fetched. */
export interface RestoreWish {
  readonly from: string;
  readonly otherCluster: string | undefined;
  readonly plan: boolean;
}

/** What the look for a copy needs besides the machine. `free` measures the free megabytes at a path. */
export interface SourcePorts {
  readonly named: () => Promise<NamedStore>;
  readonly tell: Tell;
  readonly free: (path: string) => Promise<number>;
  /** What is still to be installed on a machine without a cluster. */
  readonly fresh?: FreshServer | undefined;
}

/**
 * Returns the copy to restore, if this server may restore it. Fetches a backup, which has an id instead of a path, from
 * its store, but only after its manifest has been accepted and there is room for it.
 */
export async function copyToRestore(
  host: Host,
  paths: NodePaths,
  { from, otherCluster, plan }: RestoreWish,
  { named, tell, free, fresh }: SourcePorts,
): Promise<RestorableCopy> {
  if (!idForm.test(from)) {
    return judgeCopy(host, paths, from, { otherCluster, fresh });
  }
  let store = '';
  const { path, manifest, fetch } = await findBackup(host, paths, from, {
    otherCluster,
    store: async () => {
      const found = await named();
      store = found.to;
      return found.store();
    },
  });
  if (fetch !== undefined) {
    const accepted = await judgeManifest(host, paths, { path, otherCluster, fresh }, manifest);
    await requireRoom(paths, manifest, free);
    if (plan) {
      return { ...accepted, isRead: false, isBare: false };
    }
    tell.out(`Fetching ${from} from ${store} ...`);
    await fetch();
  }
  return judgeCopy(host, paths, path, { otherCluster, fresh });
}

/** Throws `RestoreRefused` without the room for a backup, its data, and the datastore that is made of the data. */
async function requireRoom(
  { slipway }: NodePaths,
  { bytes, packed }: { readonly bytes: number; readonly packed: { readonly bytes: number } },
  free: SourcePorts['free'],
): Promise<void> {
  const needed = Math.ceil((packed.bytes + 3 * bytes + gigabyte) / 1024 ** 2);
  const available = await free(slipway.fetched);
  if (available < needed) {
    throw restoreRefused(
      `the restore of this backup needs ${needed} MB of free space in ${slipway.fetched}, and ${available} MB are free. Free some ` +
        'space, or make the disk larger',
    );
  }
}

/** Removes a fetched backup, unless a restore of it has begun, which needs it to continue. */
export async function forgetFetched(host: Host, { slipway }: NodePaths): Promise<void> {
  if ((await host.stat(slipway.restore)) === undefined) {
    await host.remove(slipway.fetched);
  }
}

/** Prints the copies on this machine and the backups in the store, and how to restore one. */
export async function listRestorable(
  host: Host,
  paths: NodePaths,
  { named, tell }: { readonly named: () => Promise<NamedStore | undefined>; readonly tell: Tell },
): Promise<void> {
  const copies = await datastoreCopies(host, paths);
  const rows = copies.map(({ path, madeAt, reason }) => [path, madeAt, `before: ${reason}`]);
  const local =
    rows.length === 0
      ? ['This machine has no copy of a datastore.']
      : columns([['COPY', 'MADE', ''], ...rows]);
  const store = await named();
  const stored =
    store === undefined
      ? ['The settings name no store of backups (backup.to).']
      : backupsTable(store.to, await backupsOf(host, paths, store))
          .trimEnd()
          .split('\n');
  for (const line of [
    ...local,
    '',
    ...stored,
    '',
    'To restore one: slipway restore --from COPY, or --from BACKUP; with --plan, it only shows what it would do.',
  ]) {
    tell.out(line);
  }
}
