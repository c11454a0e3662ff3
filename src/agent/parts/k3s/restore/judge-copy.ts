import { join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { forPerson } from '../../../engine/severity.ts';
import { unitName } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { showUnit } from '../../../resources/unit.ts';
import { type CopyManifest, manifestPath, readManifest } from '../datastore/copies.ts';
import { datastoreKind, datastoreKinds } from '../datastore/datastore-kind.ts';
import { clusterCa } from '../datastore/keep-copy.ts';
import { kineFacts, kineQueries } from '../datastore/kine.ts';
import { isOpen, readRotation } from '../membership/rotation-record.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { leadsElsewhere } from '../teardown/mounts.ts';
import { installedVersion, soundVersion } from '../upgrade/release.ts';
import { compareVersions, parseVersion } from '../upgrade/version.ts';
import { rotationFrom } from './former-token.ts';
import { replacedPaths, restoreUnderWay } from './restore-state.ts';

/** A copy that may be restored on this server. */
export interface RestorableCopy extends CopyManifest {
  readonly path: string;
  /** The K3s release that is installed; `undefined` if the executable is missing, as in the middle of a restore. */
  readonly installed: string | undefined;
  /** True if the executable of the release that wrote the copy was kept, so that this release comes back. */
  readonly isKept: boolean;
  /** True if an open rotation of the join token is replacing the token of the copy, so that this token comes back. */
  readonly isRotating: boolean;
  /** True if the copy is of another cluster, which takes the place of the present one. */
  readonly isMove: boolean;
}

/**
 * Returns the copy at `path` with its manifest, if it may be restored on this server. Reads the whole copy. Throws
 * `RestoreRefused` for a machine without a SQLite datastore, a folder that cannot be moved aside, another restore that
 * is under way, a missing manifest, a copy of another cluster, of a newer K3s or with another token, and a missing or
 * changed file. Throws `DatabaseDamaged` for a damaged file.
 *
 * `otherCluster`, the first 12 digits of the digest of a CA, allows a copy of that cluster in place of the present one.
 */
export async function judgeCopy(
  host: HostReader,
  paths: NodePaths,
  path: string,
  otherCluster?: string,
): Promise<RestorableCopy> {
  await requireSqlite(host, paths);
  await requireMovable(host, paths);
  const manifest = await readManifest(host, path);
  if (manifest === undefined) {
    throw refused(
      `${manifestPath(path)}, the manifest of the copy, is missing or damaged. Without it, nothing shows of which cluster and ` +
        'K3s the copy is. Keep the two files together, or choose another copy',
    );
  }
  const isMove = await requireOneRestore(host, paths, { path, otherCluster }, manifest);
  const release = await requireRelease(host, paths, manifest);
  const isRotating = (await rotationFrom(host, paths, manifest.token)) !== undefined;
  if (!isRotating) {
    await requireToken(host, paths, manifest);
  }
  await requireWhole(host, path, manifest);
  return { ...manifest, path, ...release, isRotating, isMove };
}

async function requireSqlite(host: HostReader, paths: NodePaths): Promise<void> {
  const unit = join(paths.system.units, unitName('server'));
  if ((await host.stat(unit)) === undefined) {
    throw refused(
      `this machine has no K3s server (${unit} is missing). Run the command on the server whose datastore was copied`,
    );
  }
  const { FragmentPath } = await showUnit(host, unitName('server'), ['FragmentPath']);
  if (!FragmentPath.startsWith(join(paths.root, '/'))) {
    throw refused(
      `systemd runs another unit, "${FragmentPath}", in place of ${unit}. Run systemctl daemon-reload`,
    );
  }
  const kind = await datastoreKind(host, paths);
  if (kind !== 'sqlite') {
    const other =
      kind === 'etcd' ? 'k3s server --cluster-reset --cluster-reset-restore-path=SNAPSHOT' : 'its tools';
    throw refused(
      `this server keeps its datastore in ${datastoreKinds[kind]}, and the copy is of SQLite. Restore it with ${other}`,
    );
  }
}

async function requireMovable(host: HostReader, paths: NodePaths): Promise<void> {
  for (const path of replacedPaths(paths)) {
    if (await leadsElsewhere(host, path, paths.root)) {
      throw refused(
        `${path} is a link or a mount of its own, and cannot be moved aside with its content. Move its content into a plain folder ` +
          'while K3s is stopped',
      );
    }
  }
}

/**
 * Checks that no restore of another copy is under way. Also compares the CA, unless the restore of this copy is under
 * way, which has moved the CA aside. Returns whether the copy is of another cluster, which `otherCluster` has to allow.
 */
async function requireOneRestore(
  host: HostReader,
  paths: NodePaths,
  { path, otherCluster }: { readonly path: string; readonly otherCluster: string | undefined },
  { sha256, ca }: CopyManifest,
): Promise<boolean> {
  const underWay = await restoreUnderWay(host, paths);
  if (underWay && underWay.sha256 !== sha256) {
    throw refused(
      `the restore of ${underWay.from} was begun at ${underWay.at} and has not ended. End it first: slipway restore --from ${underWay.from}`,
    );
  }
  if (underWay) {
    return underWay.isMove === true;
  }
  const own = await clusterCa(host, paths);
  const isMove = own !== undefined && own !== ca;
  const [of, present] = [ca.slice(0, 12), own?.slice(0, 12)];
  if (isMove && otherCluster !== of) {
    throw refused(
      `${path} is a copy of another cluster (CA ${of}; this server belongs to ${present}). Choose a copy of this cluster. If this ` +
        `is a new VM in place of a lost server, and nothing needs its present cluster ${present}: --other-cluster ${of}`,
    );
  }
  return isMove;
}

async function requireRelease(
  host: HostReader,
  paths: NodePaths,
  { k3s }: CopyManifest,
): Promise<Pick<RestorableCopy, 'installed' | 'isKept'>> {
  const installed = await installedVersion(host, paths);
  if (installed !== k3s && (await soundVersion(host, paths.k3s.previous)) === k3s) {
    return { installed, isKept: true };
  }
  const [have, wrote] = [parseVersion(installed ?? ''), parseVersion(k3s)];
  if (!have || !wrote || compareVersions(have, wrote) < 0) {
    throw refused(
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
    throw refused(
      `this server has no token (${places.join(', ')}), and K3s would begin a new cluster. Let Slipway fetch the token first`,
    );
  }
  const other = digests.find((each) => each !== token);
  if (other !== undefined && isOpen(await readRotation(host, paths))) {
    throw refused(
      `the copy was made with another token (its digest is ${token}) than the one that a rotation of the join token is replacing ` +
        'now. Let the rotation end first (slipway status shows what it waits for), or choose a copy from just before it',
    );
  }
  if (other !== undefined) {
    throw refused(
      `the copy is encrypted with another token (its digest is ${token}, and that of this server's token ${other}): the token was ` +
        'rotated after the copy. Choose a newer copy, or make the token of that time the current one first, by its version ' +
        'in the vault (TokenChanged prints the consent)',
    );
  }
}

async function requireWhole(host: HostReader, path: string, manifest: CopyManifest): Promise<void> {
  const facts = await host.readDatabase(path, kineQueries);
  if (facts === undefined) {
    throw refused(`${path} does not exist. See ls ${join(path, '..')}`);
  }
  if (facts.sha256 !== manifest.sha256) {
    throw refused(
      `${path} is not the file of its manifest: its sha256 is ${facts.sha256.slice(0, 12)}, not ${manifest.sha256.slice(0, 12)}. It was ` +
        'changed or damaged; choose another copy',
    );
  }
  kineFacts(facts, path);
}

function refused(why: string): NodeError {
  return new NodeError('RestoreRefused', `Nothing was changed: ${why}.`, forPerson);
}
