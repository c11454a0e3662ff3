import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { etcdSize, freeBytes, megabytes } from '../datastore/copy-etcd.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { clusterOnDisk } from '../membership/founding/disk.ts';
import { installedVersion } from '../upgrade/release.ts';
import type { RestorableCopy } from './judge-copy.ts';
import { requireServer } from './judge-server.ts';
import { restoreRefused } from './restore-refused.ts';
import { restoreCommand, restoreUnderWay } from './restore-state.ts';

const gigabyte = 1024 ** 3;

/** Returns the folder of this server's own etcd. */
export function ownEtcd({ k3s }: NodePaths): string {
  return join(k3s.datastore, 'etcd');
}

/**
 * Returns the own etcd of this server in place of a copy, if the server may go on with it alone. Throws
 * `RestoreRefused` as `requireServer` does, for a server without etcd on its disk, for a restore of a copy that is
 * under way, and without the room for a copy of etcd.
 */
export async function judgeOwnEtcd(host: HostReader, paths: NodePaths): Promise<RestorableCopy> {
  const underWay = await restoreUnderWay(host, paths);
  if (underWay && underWay.isOwn !== true) {
    throw restoreRefused(
      `the restore of ${underWay.from} was begun at ${underWay.at} and has not ended. End it first: ${restoreCommand(underWay)}`,
    );
  }
  await requireServer(host, paths, { datastore: 'etcd' });
  const path = ownEtcd(paths);
  if ((await clusterOnDisk(host, paths)) !== 'etcd') {
    throw restoreRefused(
      `this server has no etcd of its own in ${path}. Restore a copy, a backup or a snapshot`,
    );
  }
  const bytes = (await etcdSize(host, paths))?.bytes ?? 0;
  const free = await freeBytes(host, paths.k3s.datastore);
  // A copy that was interrupted takes room, and the restore removes it before it copies again.
  if (underWay === undefined && free < bytes + gigabyte) {
    throw restoreRefused(
      `the copy of ${path} that is kept needs ${megabytes(bytes + gigabyte)} MB of free space there, and ${megabytes(free)} MB are ` +
        'free. Free some space, or make the disk larger',
    );
  }
  const installed = await installedVersion(host, paths);
  const ca = (await clusterCa(host, paths)) ?? '';
  return {
    ...{ datastore: 'etcd', path, sha256: '', bytes, ca, token: '', revision: 0, objects: 0 },
    ...{ k3s: installed ?? '', installed, madeAt: new Date(host.now()).toISOString(), reason: '' },
    ...{ isKept: false, isRotating: false, isMove: false, isFresh: false },
    ...{ isRead: true, isBare: true, isOwn: true },
  };
}
