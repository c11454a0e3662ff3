import { compactTime } from '../../engine/compact-time.ts';

/** The form of a backup's id: its time and the name of its node, as in `20261130T120000Z-vm-1`. */
export const idForm = /^\d{8}T\d{6}Z-[a-z0-9][a-z0-9.-]*$/;

/** The largest manifest in bytes; a real one has about one kilobyte. */
export const longestManifest = 64 * 1024;

/** Returns the id of a backup that a node begins at a time. Ids of one node sort by time. */
export function backupId(time: number, node: string): string {
  return `${compactTime(time)}-${node}`;
}

/** Returns the start of the names of all objects of a cluster, from the digest of its CA. */
export function clusterPrefix(ca: string): string {
  return `${ca.slice(0, 12)}/`;
}

/** The names of the two objects of a backup. A backup without its manifest does not exist. */
export interface BackupNames {
  readonly manifest: string;
  readonly datastore: string;
}

/** Returns the names of the objects of a backup of the cluster with this CA. */
export function backupNames(ca: string, id: string): BackupNames {
  const folder = `${clusterPrefix(ca)}${id}`;
  return { manifest: `${folder}/manifest.json`, datastore: `${folder}/datastore.zst` };
}
