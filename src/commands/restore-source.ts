/** Where `slipway restore` takes a copy from, and the list of the copies and backups that there are. */
import type { Host } from '../agent/engine/host.ts';
import { fetchBackup, idForm } from '../agent/parts/backup/index.ts';
import { datastoreCopies } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { backupsTable } from '../agent/report/backups-table.ts';
import { columns } from '../agent/report/text-layout.ts';
import type { Tell } from '../setup/perform.ts';
import { backupsOf, type NamedStore } from './backup-store.ts';

/** Returns the path of the copy to restore; fetches a backup, which has an id instead of a path, from its store. */
export async function copyToRestore(
  host: Host,
  paths: NodePaths,
  from: string,
  { named, tell }: { readonly named: () => Promise<NamedStore>; readonly tell: Tell },
): Promise<string> {
  if (!idForm.test(from)) {
    return from;
  }
  return fetchBackup(host, paths, from, async () => {
    const { to, store } = await named();
    tell.out(`Fetching ${from} from ${to} ...`);
    return store();
  });
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
