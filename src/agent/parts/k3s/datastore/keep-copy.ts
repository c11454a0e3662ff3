import type { DatabaseFacts } from '../../../engine/database.ts';
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { renderOwn } from '../../../engine/own-file.ts';
import { ownFiles } from '../../../own-files.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';
import { pinnedCa } from '../membership/ca.ts';
import { parseToken, tokenDigest } from '../membership/token.ts';
import { type CopyManifest, copyPath, draftPath, manifestPath } from './copies.ts';
import type { DatastoreKind } from './datastore-kind.ts';
import { kineFacts } from './kine.ts';

/**
 * Gives its final name to a copy that was made and read back, and then writes its manifest. The manifest comes last: a
 * copy without one does not count. Throws `DatabaseDamaged` if K3s could not start from the copy.
 */
export async function keepCopy(
  host: Host,
  paths: NodePaths,
  facts: DatabaseFacts,
  about: Omit<CopyAbout, 'from'>,
): Promise<void> {
  const time = host.now();
  const manifest = await describeCopy(host, paths, facts, { ...about, from: draftPath(paths) });
  const path = copyPath(paths, about.kind, time);
  await host.rename(draftPath(paths), path);
  await host.writeFile(manifestPath(path), renderOwn(ownFiles.datastoreCopy, manifest), { mode: 0o600 });
}

/** What a copy is of and for: the kind of datastore, the purpose, the K3s release that wrote it, and its path. */
export interface CopyAbout {
  readonly kind: DatastoreKind;
  readonly reason: string;
  readonly version: string;
  readonly from: string;
}

/**
 * Returns the manifest of a copy at the path `from` that was made just now, from the facts about it. Throws
 * `DatabaseDamaged` if K3s could not start from the copy.
 */
export async function describeCopy(
  host: HostReader,
  paths: NodePaths,
  facts: DatabaseFacts,
  { kind, reason, version, from }: CopyAbout,
): Promise<CopyManifest> {
  const { objects, revision, tokens } = kineFacts(facts, from);
  const own = await ownTokenDigest(host, paths);
  return {
    datastore: kind,
    k3s: version,
    ca: await clusterCa(host, paths).then(requireCa),
    token: tokens.find((each) => each === own) ?? tokens[0] ?? '',
    bytes: facts.bytes,
    sha256: facts.sha256,
    revision,
    objects,
    madeAt: new Date(host.now()).toISOString().replace(/\.\d+/, ''),
    reason,
  };
}

/**
 * Returns the hash of the CA of this server's cluster, as in a K10 token; `undefined` if K3s has not founded a cluster.
 */
export async function clusterCa(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const pem = await fileText(host, k3s.serverCa);
  return pem === '' ? parseToken(await fileText(host, k3s.serverToken))?.caHash : pinnedCa(pem).hash;
}

function requireCa(hash: string | undefined): string {
  if (hash === undefined) {
    throw withoutCa();
  }
  return hash;
}

/** Returns the error of a copy on a server whose CA is missing. */
export function withoutCa(): NodeError {
  return new NodeError(
    'FileSystemError',
    'The copy of the datastore cannot name its cluster: the CA of K3s is missing. A restart of K3s writes it anew.',
    { blocks: false },
  );
}

/** Returns the digest of the token that K3s uses on this server; `undefined` if K3s has no token yet. */
async function ownTokenDigest(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const token = parseToken(await fileText(host, k3s.serverToken));
  return token && tokenDigest(token);
}
