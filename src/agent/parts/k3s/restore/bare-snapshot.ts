import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import type { CopyManifest } from '../datastore/copies.ts';
import { etcdQueries } from '../datastore/etcd-queries.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { kineFacts } from '../datastore/kine.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { installedVersion } from '../upgrade/release.ts';
import type { FreshServer } from './fresh-server.ts';
import { kindOnServer } from './judge-server.ts';
import { restoreRefused } from './restore-refused.ts';

/** What a bare snapshot says about itself: why it was made. */
export const bareReason = 'by k3s etcd-snapshot';

/**
 * Returns what is known about a snapshot that K3s made without Slipway (`k3s etcd-snapshot save`): nothing shows its
 * cluster and its release, so those of this server stand in for them. Returns `undefined` if the server has no etcd, or
 * if the file is missing. Throws `RestoreRefused` for a compressed snapshot, and `DatabaseDamaged` for a damaged one.
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
  const [found, stat] = [await host.readSnapshot(path, etcdQueries), await host.stat(path)];
  if (found === undefined || stat === undefined) {
    return undefined;
  }
  const { objects, revision, tokens } = kineFacts(found, path);
  const token = parseToken(await fileText(host, paths.slipway.joinToken));
  const own = token && tokenDigest(token);
  return {
    datastore: 'etcd',
    k3s: fresh?.version ?? (await installedVersion(host, paths)) ?? '',
    ca: (await clusterCa(host, paths)) ?? '',
    token: tokens.find((each) => each === own) ?? tokens[0] ?? '',
    bytes: found.bytes,
    sha256: found.sha256,
    revision,
    objects,
    madeAt: new Date(stat.modifiedAt).toISOString().replace(/\.\d+/, ''),
    reason: bareReason,
  };
}
