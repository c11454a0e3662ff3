import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import type { CopyManifest } from '../datastore/copies.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { installedVersion } from '../upgrade/release.ts';
import type { FreshServer } from './fresh-server.ts';
import { kindOnServer } from './judge-server.ts';
import { restoreRefused } from './restore-refused.ts';

/** What a bare snapshot says about itself: why it was made. */
export const bareReason = 'by k3s etcd-snapshot';

/**
 * Returns what is known about a snapshot that K3s made without Slipway (`k3s etcd-snapshot save`): nothing shows its
 * cluster, its release and its token, so those of this server stand in for them, and K3s itself refuses a snapshot of
 * another token. Returns `undefined` if the server has no etcd, or if the file is missing. Throws `RestoreRefused` for
 * a compressed snapshot.
 */
export async function bareSnapshot(
  host: HostReader,
  paths: NodePaths,
  { path, fresh }: { readonly path: string; readonly fresh: FreshServer | undefined },
): Promise<CopyManifest | undefined> {
  if ((fresh?.datastore ?? (await kindOnServer(host, paths))) !== 'etcd') {
    return undefined;
  }
  if (path.endsWith('.zip')) {
    throw restoreRefused(
      `${path} is compressed, so it cannot be verified. Unzip it, and name the snapshot in it`,
    );
  }
  const [found, stat] = [await host.digestFile(path), await host.stat(path)];
  if (found === undefined || stat === undefined) {
    return undefined;
  }
  const { slipway } = paths;
  const token = parseToken(await fileText(host, slipway.joinToken));
  return {
    datastore: 'etcd',
    k3s: fresh?.version ?? (await installedVersion(host, paths)) ?? '',
    ca: (await clusterCa(host, paths)) ?? '',
    token: token ? tokenDigest(token) : '',
    bytes: found.bytes,
    sha256: found.sha256,
    revision: 0,
    objects: 0,
    madeAt: new Date(stat.modifiedAt).toISOString().replace(/\.\d+/, ''),
    reason: bareReason,
  };
}
