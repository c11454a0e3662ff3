import { join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { renderOwn } from '../../engine/own-file.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';
import type { ObjectStore } from '../../stores/store.ts';
import { clusterCa, restoreRefused } from '../k3s/index.ts';
import { type BackupManifest, readManifestText } from './manifest.ts';
import { backupNames, clusterOf, isCluster } from './names.ts';
import { fetchData, storedManifest } from './proof.ts';
import { storedBackups } from './retention.ts';

/** A backup that was found, and the path at which it is, or will be once it was fetched. */
export interface FoundBackup {
  readonly path: string;
  readonly manifest: BackupManifest;
  /**
   * Fetches the backup, with its manifest beside it, in place of what was fetched before; absent if the backup is there
   * already. Throws `RestoreRefused` if what comes back is not what the manifest describes.
   */
  readonly fetch?: () => Promise<void>;
}

/** The store, and the cluster of the backup if it may take the place of the cluster of this machine. */
export interface BackupPlace {
  readonly store: () => Promise<ObjectStore>;
  readonly otherCluster?: string | undefined;
}

/**
 * Finds a backup by its id: the one that was fetched already, so that a restore continues without the store, or else
 * one in the store, of which it reads only the manifest.
 *
 * Throws `RestoreRefused` if the store has no such backup of `otherCluster` or of this server's cluster or, on a
 * machine without a cluster, of exactly one cluster.
 */
export async function findBackup(
  host: Host,
  paths: NodePaths,
  id: string,
  { store, otherCluster }: BackupPlace,
): Promise<FoundBackup> {
  const path = join(paths.slipway.fetched, `${id}.db`);
  const note = `${path}.json`;
  const known = readManifestText(await fileText(host, note));
  const isOfCluster = otherCluster === undefined || (known && clusterOf(known.ca)) === otherCluster;
  if (known && isOfCluster && (await host.stat(path)) !== undefined) {
    return { path, manifest: known };
  }
  const from = await store();
  const cluster = await clusterWith(host, paths, id, { store: from, otherCluster });
  const names = backupNames(cluster, id);
  const manifest = await refusing(() => restorableManifest(from, { id, cluster }));
  const fetch = async () => {
    await host.remove(paths.slipway.fetched);
    const files = { returned: join(paths.slipway.fetched, `${id}.zst`), opened: path };
    await refusing(() => fetchData(host, { store: from, names, files }, manifest));
    await host.remove(files.returned);
    await host.writeFile(note, renderOwn(ownFiles.backupManifest, manifest), { mode: 0o600 });
  };
  return { path, manifest, fetch };
}

async function restorableManifest(
  store: ObjectStore,
  { id, cluster }: { readonly id: string; readonly cluster: string },
): Promise<BackupManifest> {
  const found = await storedManifest(store, backupNames(cluster, id));
  if (found === undefined) {
    throw restoreRefused(
      `${store.name} has no whole backup ${id} of the cluster ${cluster}. See: slipway backup list --all. If this is a new VM in ` +
        `place of a lost server, and nothing needs its present cluster: slipway restore --from ${id} --other-cluster ${await clusterNamed(store, id)}`,
    );
  }
  if (!['sqlite', 'etcd'].includes(found.datastore)) {
    throw restoreRefused(
      `the backup ${id} is of a datastore of the kind ${found.datastore}; this release restores SQLite and etcd`,
    );
  }
  return found;
}

/** Returns the only cluster in the store that has this backup; otherwise a word in its place. */
async function clusterNamed(store: ObjectStore, id: string): Promise<string> {
  const [only, ...others] = (await storedBackups(store, undefined)).filter((each) => each.id === id);
  return only !== undefined && others.length === 0 ? only.cluster : 'CLUSTER';
}

/** Turns the error about damaged data into a refusal that says what to do. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof NodeError && thrown.reason === 'DatabaseDamaged'
      ? restoreRefused(`${thrown.message.replace(/\.$/, '')}. Choose another backup: slipway backup list`)
      : thrown;
  }
}

/**
 * Returns the other cluster, if a person names one; else the cluster of this server or, without one, the only cluster
 * in the store that has this backup.
 */
async function clusterWith(
  host: Host,
  paths: NodePaths,
  id: string,
  { store, otherCluster }: { readonly store: ObjectStore; readonly otherCluster: string | undefined },
): Promise<string> {
  if (otherCluster !== undefined) {
    return requireCluster(otherCluster);
  }
  const own = await clusterCa(host, paths);
  if (own !== undefined) {
    return clusterOf(own);
  }
  const found = (await storedBackups(store, undefined)).filter((each) => each.id === id);
  const [only, other] = found;
  if (only === undefined || other !== undefined) {
    throw restoreRefused(
      only === undefined
        ? `${store.name} has no backup ${id}. See: slipway backup list --all`
        : `${store.name} has a backup ${id} of ${found.length} clusters. Name one of them: --other-cluster CLUSTER; see ` +
            'slipway backup list --all',
    );
  }
  return only.cluster;
}

function requireCluster(named: string): string {
  if (!isCluster(named)) {
    throw restoreRefused(
      `--other-cluster names "${named}", and a cluster has 12 hex digits. See: slipway backup list --all`,
    );
  }
  return named;
}
