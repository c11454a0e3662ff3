import { join } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { datastoreCopiers } from '../datastore/copiers.ts';
import { type CopyManifest, manifestPath, readManifest } from '../datastore/copies.ts';
import { kineFacts } from '../datastore/kine.ts';
import { bareSnapshot } from './bare-snapshot.ts';
import { type AcceptedCopy, judgeManifest, type NamedCopy } from './judge-manifest.ts';
import { restoreRefused } from './restore-refused.ts';

/** A copy that may be restored on this server. */
export interface RestorableCopy extends AcceptedCopy {
  /** True if the copy was read; false for a backup that is still to be fetched. */
  readonly isRead: boolean;
  /** True for a snapshot of etcd without a manifest. */
  readonly isBare: boolean;
  /** True for the own etcd of this server, with which it goes on in place of a copy. */
  readonly isOwn?: boolean;
}

/**
 * Returns the copy at `path` with its manifest, if it may be restored on this server. Reads the whole copy. Throws
 * `RestoreRefused` as `judgeManifest` does, and for a missing manifest and a missing or changed file. Throws
 * `DatabaseDamaged` for a damaged file.
 *
 * `otherCluster`, the first 12 digits of the digest of a CA, allows a copy of that cluster in place of the present one.
 * With `fresh`, judges the copy for a machine on which K3s is still to be installed.
 */
export async function judgeCopy(
  host: HostReader,
  paths: NodePaths,
  path: string,
  { otherCluster, fresh }: Partial<Pick<NamedCopy, 'otherCluster' | 'fresh'>> = {},
): Promise<RestorableCopy> {
  const described = await readManifest(host, path);
  const manifest = described ?? (await bareSnapshot(host, paths, { path, fresh }));
  if (manifest === undefined) {
    throw restoreRefused(
      `${manifestPath(path)}, the manifest of the copy, is missing or damaged. Without it, nothing shows of which cluster and ` +
        'K3s the copy is. Keep the two files together, or choose another copy',
    );
  }
  const accepted = await judgeManifest(host, paths, { path, otherCluster, fresh }, manifest);
  await requireWhole(host, path, manifest);
  return { ...accepted, isRead: true, isBare: described === undefined };
}

async function requireWhole(host: HostReader, path: string, manifest: CopyManifest): Promise<void> {
  const copier = manifest.datastore === 'etcd' ? datastoreCopiers.etcd : datastoreCopiers.sqlite;
  const facts = await copier?.read(host, path);
  if (facts === undefined) {
    throw restoreRefused(`${path} does not exist. See ls ${join(path, '..')}`);
  }
  if (facts.sha256 !== manifest.sha256) {
    throw restoreRefused(
      `${path} is not the file of its manifest: its sha256 is ${facts.sha256.slice(0, 12)}, not ${manifest.sha256.slice(0, 12)}. It was ` +
        'changed or damaged; choose another copy',
    );
  }
  kineFacts(facts, path);
}
