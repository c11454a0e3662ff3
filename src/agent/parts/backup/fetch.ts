import { join } from 'node:path';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { renderOwn } from '../../engine/own-file.ts';
import { forPerson } from '../../engine/severity.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import type { ObjectStore } from '../../stores/store.ts';
import { clusterCa } from '../k3s/index.ts';
import { backupNames, clusterOf } from './names.ts';
import { fetchData, storedManifest } from './proof.ts';
import { storedBackups } from './retention.ts';

/**
 * Fetches a backup from a store, with its manifest beside it, and returns its path. Does nothing if the backup is there
 * already, so that a restore continues without the store.
 *
 * Throws `RestoreRefused` if what comes back is not what its manifest describes, or if the store has no such backup of
 * this server's cluster or, on a machine without a cluster, of exactly one cluster.
 */
export async function fetchBackup(
  host: Host,
  paths: NodePaths,
  id: string,
  store: () => Promise<ObjectStore>,
): Promise<string> {
  const path = join(paths.slipway.fetched, `${id}.db`);
  const note = `${path}.json`;
  if ((await host.stat(note)) !== undefined && (await host.stat(path)) !== undefined) {
    return path;
  }
  const from = await store();
  const names = backupNames(await clusterWith(host, paths, id, from), id);
  const files = { returned: join(paths.slipway.fetched, `${id}.zst`), opened: path };
  const manifest = await refusing(async () => {
    const found = await storedManifest(from, names);
    if (found === undefined) {
      throw refused(`${from.name} has no whole backup ${id}. See: slipway backup list`);
    }
    if (found.datastore !== 'sqlite') {
      throw refused(
        `the backup ${id} is of a datastore of the kind ${found.datastore}; this command restores only SQLite`,
      );
    }
    await fetchData(host, { store: from, names, files }, found);
    return found;
  });
  await host.remove(files.returned);
  await host.writeFile(note, renderOwn(ownFiles.backupManifest, manifest), { mode: 0o600 });
  return path;
}

/** Turns the error about damaged data into a refusal that says what to do. */
async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof NodeError && thrown.reason === 'DatabaseDamaged'
      ? refused(`${thrown.message.replace(/\.$/, '')}. Choose another backup: slipway backup list`)
      : thrown;
  }
}

/** Returns the cluster of this server or, without one, the only cluster in the store that has this backup. */
async function clusterWith(host: Host, paths: NodePaths, id: string, store: ObjectStore): Promise<string> {
  const own = await clusterCa(host, paths);
  if (own !== undefined) {
    return clusterOf(own);
  }
  const found = (await storedBackups(store, undefined)).filter((each) => each.id === id);
  const [only, other] = found;
  if (only === undefined || other !== undefined) {
    throw refused(
      only === undefined
        ? `${store.name} has no backup ${id}. See: slipway backup list --all`
        : `${store.name} has a backup ${id} of ${found.length} clusters. Name the store of one cluster with backup.to`,
    );
  }
  return only.cluster;
}

function refused(why: string): NodeError {
  return new NodeError('RestoreRefused', `Nothing was changed: ${why}.`, forPerson);
}
