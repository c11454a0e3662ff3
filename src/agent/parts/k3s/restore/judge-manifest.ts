import { basename, dirname } from 'node:path';
import type { HostReader } from '../../../engine/host.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import type { CopyManifest } from '../datastore/copies.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { isOpen, readRotation } from '../membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { installedVersion, soundVersion } from '../upgrade/release.ts';
import { compareVersions, parseVersion } from '../upgrade/version.ts';
import { rotationFrom } from './former-token.ts';
import { type FreshServer, hasNoCluster, requireSuited } from './fresh-server.ts';
import { requireServer } from './judge-server.ts';
import { restoreRefused } from './restore-refused.ts';
import { restoreCommand, restoreUnderWay } from './restore-state.ts';

/** A copy whose manifest this server accepts. */
export interface AcceptedCopy extends CopyManifest {
  readonly path: string;
  /** The K3s release that is installed; `undefined` if the executable is missing, as in the middle of a restore. */
  readonly installed: string | undefined;
  /** True if the executable of the release that wrote the copy was kept, so that this release comes back. */
  readonly isKept: boolean;
  /** True if an open rotation of the join token is replacing the token of the copy, so that this token comes back. */
  readonly isRotating: boolean;
  /** True if the copy is of another cluster, which takes the place of the present one. */
  readonly isMove: boolean;
  /** True if this machine has no cluster yet, so that the copy brings one. */
  readonly isFresh: boolean;
}

/** Where a copy is, and the cluster of the copy if it may take the place of another cluster. */
export interface NamedCopy {
  readonly path: string;
  readonly otherCluster: string | undefined;
  /** What will be installed first, on a machine without a cluster and perhaps without K3s. */
  readonly fresh?: FreshServer | undefined;
}

/**
 * Returns what a manifest says about a copy, if the copy may be restored on this server. Does not read the copy, which
 * may still be in a store. Throws `RestoreRefused` as `requireServer` does, for another restore that is under way, and
 * for a copy of another cluster, of a newer K3s or with another token.
 */
export async function judgeManifest(
  host: HostReader,
  paths: NodePaths,
  { path, otherCluster, fresh }: NamedCopy,
  manifest: CopyManifest,
): Promise<AcceptedCopy> {
  if (fresh !== undefined) {
    requireSuited(fresh, manifest);
    const later = { installed: fresh.version, isKept: false, isRotating: false, isMove: false };
    return { ...manifest, path, ...later, isFresh: true };
  }
  await requireServer(host, paths, manifest);
  const isFresh = await hasNoCluster(host, paths);
  const isMove = await requireOneRestore(host, paths, { path, otherCluster }, manifest);
  const release = await requireRelease(host, paths, manifest);
  const isRotating = (await rotationFrom(host, paths, manifest.token)) !== undefined;
  if (!isRotating) {
    await requireToken(host, paths, manifest);
  }
  return { ...manifest, path, ...release, isRotating, isMove, isFresh };
}

/**
 * Checks that no restore of another copy is under way. Also compares the CA, unless the restore of this copy is under
 * way, which has moved the CA aside. Returns whether the copy is of another cluster, which `otherCluster` has to allow.
 */
async function requireOneRestore(
  host: HostReader,
  paths: NodePaths,
  { path, otherCluster }: NamedCopy,
  { sha256, ca }: CopyManifest,
): Promise<boolean> {
  const underWay = await restoreUnderWay(host, paths);
  if (underWay && underWay.sha256 !== sha256) {
    throw restoreRefused(
      `the restore of ${underWay.from} was begun at ${underWay.at} and has not ended. End it first: ${restoreCommand(underWay)}`,
    );
  }
  if (underWay) {
    return underWay.isMove === true;
  }
  const own = await clusterCa(host, paths);
  const isMove = own !== undefined && own !== ca;
  const [of, present] = [ca.slice(0, 12), own?.slice(0, 12)];
  if (isMove && otherCluster !== of) {
    throw restoreRefused(
      `${path} is a copy of another cluster (CA ${of}; this server belongs to ${present}). Choose a copy of this cluster. If this ` +
        `is a new VM in place of a lost server, and nothing needs its present cluster ${present}: slipway restore --from ` +
        `${namedFrom(paths, path)} --other-cluster ${of}`,
    );
  }
  return isMove;
}

/** Returns what `--from` names: the id of a fetched backup, or the path of a copy. */
function namedFrom({ slipway }: NodePaths, path: string): string {
  return dirname(path) === slipway.fetched ? basename(path, '.db') : path;
}

async function requireRelease(
  host: HostReader,
  paths: NodePaths,
  { k3s }: CopyManifest,
): Promise<Pick<AcceptedCopy, 'installed' | 'isKept'>> {
  const installed = await installedVersion(host, paths);
  if (installed !== k3s && (await soundVersion(host, paths.k3s.previous)) === k3s) {
    return { installed, isKept: true };
  }
  const [have, wrote] = [parseVersion(installed ?? ''), parseVersion(k3s)];
  if (!have || !wrote || compareVersions(have, wrote) < 0) {
    throw restoreRefused(
      `K3s ${k3s} wrote the copy, and this server has ${installed ?? 'no K3s'}: a datastore is only for the same or a newer K3s. ` +
        `Install ${k3s} first (k3s.version, with k3s.upgrade: auto)`,
    );
  }
  return { installed, isKept: false };
}

/**
 * Checks the tokens with which K3s would start against the digest in the manifest. With another token, or without one,
 * K3s would make new CAs (pkg/cluster/storage.go, storageBootstrap).
 */
async function requireToken(host: HostReader, paths: NodePaths, { token }: CopyManifest): Promise<void> {
  const places = [paths.slipway.joinToken, paths.k3s.serverToken];
  const texts = await Promise.all(places.map((place) => fileText(host, place)));
  const digests = texts.flatMap((text) => parseToken(text) ?? []).map(tokenDigest);
  if (digests.length === 0) {
    throw restoreRefused(
      `this server has no token (${places.join(', ')}), and K3s would begin a new cluster. Let Slipway fetch the token first`,
    );
  }
  const other = digests.find((each) => each !== token);
  if (other !== undefined && isOpen(await readRotation(host, paths))) {
    throw restoreRefused(
      `the copy was made with another token (its digest is ${token}) than the one that a rotation of the join token is replacing ` +
        'now. Let the rotation end first (slipway status shows what it waits for), or choose a copy from just before it',
    );
  }
  if (other !== undefined) {
    throw restoreRefused(
      `the copy is encrypted with another token (its digest is ${token}, and that of this server's token ${other}): the token was ` +
        'rotated after the copy. Choose a newer copy, or make the token of that time the current one first, by its version ' +
        'in the vault (TokenChanged prints the consent)',
    );
  }
}
