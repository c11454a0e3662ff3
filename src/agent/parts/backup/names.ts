import { compactTime } from '../../engine/compact-time.ts';

/** The form of a backup's id: its time and the name of its node, as in `20261130T120000Z-vm-1`. */
export const idForm = /^\d{8}T\d{6}Z-[a-z0-9][a-z0-9.-]*$/;

const clusterForm = /^[0-9a-f]{12}$/;

/** The largest manifest in bytes; a real one has about one kilobyte. */
export const longestManifest = 64 * 1024;

/** Returns the id of a backup that a node begins at a time. Ids of one node sort by time. */
export function backupId(time: number, node: string): string {
  return `${compactTime(time)}-${node}`;
}

/** Returns the time in an id, in epoch milliseconds. */
export function timeOf(id: string): number {
  return Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\dZ).*$/, '$1-$2-$3T$4:$5:$6'));
}

/** Returns the name of a cluster in a store: the first 12 hex digits of the digest of its CA. */
export function clusterOf(ca: string): string {
  return ca.slice(0, 12);
}

/** True for the name of a cluster. */
export function isCluster(name: string): boolean {
  return clusterForm.test(name);
}

/** The names of the two objects of a backup. A backup without its manifest does not exist. */
export interface BackupNames {
  readonly manifest: string;
  readonly datastore: string;
}

/** Returns the names of the objects of a backup of a cluster. */
export function backupNames(cluster: string, id: string): BackupNames {
  const folder = `${cluster}/${id}`;
  return { manifest: `${folder}/manifest.json`, datastore: `${folder}/datastore.zst` };
}

/** Returns the cluster and the id in the name of a backup's object; `undefined` for any other object. */
export function partsOf(name: string): { readonly cluster: string; readonly id: string } | undefined {
  const [cluster = '', id = '', ...rest] = name.split('/');
  return isCluster(cluster) && idForm.test(id) && rest.length === 1 ? { cluster, id } : undefined;
}
