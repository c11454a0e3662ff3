import { basename, dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { compactTime } from '../../../engine/compact-time.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { readOwn, renderOwn } from '../../../engine/own-file.ts';
import { unitName } from '../../../node.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { showUnit } from '../../../resources/unit.ts';

const restore = z.object({
  /** The copy that is restored, and its digest; the own etcd of this server has none. */
  from: z.string(),
  sha256: z.string(),
  /** True if this server goes on with its own etcd, without a copy. */
  isOwn: z.optional(z.boolean()),
  /** When the restore began, as `20260101T120000Z`. The names of what was moved aside contain this time. */
  at: z.string(),
  /** True if the unit of K3s is enabled at the end, as it was before. */
  isEnabled: z.boolean(),
  /** True if the copy brings a cluster to this machine that it did not have before. */
  isMove: z.optional(z.boolean()),
  /** The kind of the datastore; absent for SQLite. */
  datastore: z.optional(z.literal('etcd')),
  /** True once K3s has made a cluster of the snapshot of etcd, which it must not do again. */
  isReset: z.optional(z.boolean()),
  /** The other members of etcd when the restore began, as URLs; absent if nothing showed them. */
  members: z.optional(z.readonly(z.array(z.string()))),
  /** True once K3s has been started with the copy: a server that answers from then on may have joined this one. */
  isStarted: z.optional(z.boolean()),
});

/** A restore of the datastore, as recorded in the file that exists while the restore is under way. */
export type Restore = Readonly<z.output<typeof restore>>;

/** Returns the restore that is under way; `undefined` if none is, or if its file is damaged. */
export async function restoreUnderWay(
  host: HostReader,
  { slipway }: NodePaths,
): Promise<Restore | undefined> {
  return readOwn(restore, await fileText(host, slipway.restore));
}

/**
 * Returns the restore that is under way, or else a new one of this copy, which is not noted yet. `members` are the
 * other members of etcd, if they are known.
 */
export async function restoreOf(
  host: HostReader,
  paths: NodePaths,
  copy: {
    readonly path: string;
    readonly sha256: string;
    readonly datastore: string;
    readonly isMove: boolean;
    readonly isFresh: boolean;
    readonly isOwn?: boolean;
  },
  members?: readonly string[],
): Promise<Restore> {
  const underWay = await restoreUnderWay(host, paths);
  if (underWay) {
    return underWay;
  }
  const { UnitFileState } = await showUnit(host, unitName('server'), ['UnitFileState']);
  const isEtcd = copy.datastore === 'etcd';
  return {
    from: copy.path,
    sha256: copy.sha256,
    at: compactTime(host.now()),
    isEnabled: UnitFileState === 'enabled' || copy.isFresh,
    ...((copy.isMove || copy.isFresh) && { isMove: true }),
    ...(isEtcd && { datastore: 'etcd' }),
    ...(copy.isOwn && { isOwn: true }),
    ...(isEtcd && members !== undefined && { members }),
  };
}

/** Returns the command that continues a restore. */
export function restoreCommand({ from, isOwn }: Pick<Restore, 'from' | 'isOwn'>): string {
  return isOwn ? 'slipway restore --reset' : `slipway restore --from ${from}`;
}

/** Records a restore that is under way. */
export function noteRestore(host: Host, { slipway }: NodePaths, begun: Restore): Promise<void> {
  return host.writeFile(slipway.restore, renderOwn(ownFiles.restore, begun), { mode: 0o600 });
}

/**
 * Returns the folder in which the datastore of a copy is prepared, beside the datastore, so that one rename puts it in
 * place. The name of the folder contains the digest of the copy, so a database in the folder comes from this copy; it
 * is always complete.
 */
export function stagedFolder({ k3s }: NodePaths, { sha256 }: Pick<Restore, 'sha256'>): string {
  return `${k3s.datastore}.restoring-${sha256.slice(0, 12)}`;
}

/**
 * True if the datastore of this restore is in place: the restore is noted, and its prepared folder is gone or, with
 * etcd, K3s has made a cluster of the snapshot.
 */
export async function isPlaced(host: HostReader, paths: NodePaths, begun: Restore): Promise<boolean> {
  const noted = await restoreUnderWay(host, paths);
  if (noted?.sha256 !== begun.sha256) {
    return false;
  }
  return noted.datastore === 'etcd'
    ? noted.isReset === true
    : (await host.stat(stagedFolder(paths, begun))) === undefined;
}

/**
 * Returns the restore under way of the copy or backup that `from` names, if its datastore is in place: the copy is not
 * needed any more, and K3s may have removed it since.
 */
export async function placedRestore(
  host: HostReader,
  paths: NodePaths,
  from: string,
): Promise<Restore | undefined> {
  const begun = await restoreUnderWay(host, paths);
  const isNamed = begun?.from === from || begun?.from === join(paths.slipway.fetched, `${from}.db`);
  return begun && isNamed && (await isPlaced(host, paths, begun)) ? begun : undefined;
}

/** True once K3s has been started with the copy of the restore that is under way. */
export async function isStarted(host: HostReader, paths: NodePaths): Promise<boolean> {
  return (await restoreUnderWay(host, paths))?.isStarted === true;
}

/**
 * Returns the paths that a restore moves aside: the datastore, and what K3s makes anew from the datastore and would
 * otherwise refuse as newer (pkg/cluster/bootstrap.go). The keys for the encryption of Secrets stay, because an older
 * datastore may lack them. The snapshots of etcd stay too, as one of them may be the copy.
 */
export function replacedPaths(
  { k3s }: NodePaths,
  { datastore }: { readonly datastore?: string | undefined },
): readonly string[] {
  const server = join(k3s.data, 'server');
  const replaced = datastore === 'etcd' ? join(k3s.datastore, 'etcd') : k3s.datastore;
  return [replaced, join(server, 'tls'), join(server, 'cred/passwd')];
}

/** Returns the path at which a restore keeps the executable that it replaces with an earlier release. */
export function asideExecutable({ k3s }: NodePaths, { at }: Pick<Restore, 'at'>): string {
  return join(dirname(k3s.binary), `.${basename(k3s.binary)}.before-restore-${at}`);
}

/** Returns the path to which a restore moves something aside. */
export function asidePath(path: string, { at }: Pick<Restore, 'at'>): string {
  return `${path}.before-restore-${at}`;
}
