import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import type { Host } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import type { K3sNode } from '../../node.ts';
import { soundVersion, tokenSecretName } from '../k3s/index.ts';
import { backupFiles } from './files.ts';
import { type BackupDescription, backupDescription, fileDigest, manifestText } from './manifest.ts';
import { backupNames, clusterOf } from './names.ts';
import { notProven } from './not-proven.ts';
import type { BackupPorts } from './ports.ts';
import { fetchData, storedManifest } from './proof.ts';
import type { BackupRecord, UnderWay } from './record.ts';
import { removeOlder } from './retention.ts';
import type { BackupSource } from './source.ts';

/** What the steps of a backup need. */
export interface BackupGround {
  readonly node: K3sNode;
  readonly source: BackupSource;
  readonly ports: BackupPorts;
}

type Packed = NonNullable<UnderWay['packed']>;

/** Copies the datastore. Returns the text of the description of the copy. */
export async function copyData(
  host: Host,
  { node, source, ports }: BackupGround,
  { id, reason }: UnderWay,
  signal: AbortSignal,
): Promise<string> {
  const tokenVersion = await ports.vault.secretVersion(tokenSecretName(node));
  const version = (await soundVersion(host, node.paths.k3s.binary)) ?? node.version;
  const about = { to: backupFiles(node.paths).copy, reason, version };
  const copy = await source.copy(host, node, about, signal);
  const description: BackupDescription = {
    ...copy,
    id,
    node: node.name,
    slipway: ports.slipway,
    ...(tokenVersion !== undefined && { tokenVersion }),
  };
  return JSON.stringify(description);
}

/**
 * Compresses the copy. Returns the text of the digest of the compressed file. Throws `BackupNotProven` if the copy was
 * changed since it was made.
 */
export async function packData(
  host: Host,
  { node }: BackupGround,
  { id, bytes, sha256 }: BackupDescription,
  signal: AbortSignal,
): Promise<string> {
  const { copy, packed } = backupFiles(node.paths);
  const made = await host.compress({ from: copy, to: packed, limit: bytes }, signal);
  if (made.plain.sha256 !== sha256) {
    throw notProven(id, `${copy} was changed after it was made`);
  }
  return JSON.stringify(made.packed);
}

/** Stores the data, and then the manifest: without its manifest, a backup does not exist. */
export async function storeData(
  { node, ports }: BackupGround,
  description: BackupDescription,
  packed: Packed,
  signal: AbortSignal,
): Promise<string> {
  const { id, ca } = description;
  const store = ports.store();
  const names = backupNames(clusterOf(ca), id);
  await store.put(names.datastore, backupFiles(node.paths).packed, packed, signal);
  if ((await store.claim(names.manifest, manifestText(description, packed))) === 'exists') {
    throw notProven(id, `${store.name} has another manifest under its name`);
  }
  return '';
}

/** Fetches the backup from the store, and opens it. Throws `BackupNotProven` if it is not what was stored. */
export async function proveData(
  host: Host,
  { node, source, ports }: BackupGround,
  description: BackupDescription,
  packed: Packed,
  signal: AbortSignal,
): Promise<string> {
  const { id, ca } = description;
  const store = ports.store();
  const names = backupNames(clusterOf(ca), id);
  const files = backupFiles(node.paths);
  try {
    const manifest = await storedManifest(store, names);
    if (
      manifest === undefined ||
      manifestText(manifest, manifest.packed) !== manifestText(description, packed)
    ) {
      throw notProven(id, `its manifest in ${store.name} is ${manifest ? 'another one' : 'missing'}`);
    }
    await fetchData(host, { store, names, files }, manifest, signal);
    await source.open(host, files.opened, manifest);
  } catch (thrown) {
    throw thrown instanceof NodeError && lasting.includes(thrown.reason)
      ? notProven(id, thrown.message)
      : thrown;
  }
  return '';
}

/** The reasons for which a backup that was stored will never be proven. */
const lasting: readonly string[] = ['DatabaseDamaged', 'StoreLimit', 'ObjectNotFound'];

/** Removes older backups from the store. Returns whether the store let this node remove them. */
export function pruneStore(
  { node, ports }: BackupGround,
  { unproven = [] }: BackupRecord,
  proven: NonNullable<BackupRecord['proven']>,
): Promise<'removed' | 'refused'> {
  return removeOlder(ports.store(), proven, { retention: node.settings.backup.retention, unproven });
}

/** Returns the result of a job as the description of a copy. */
export function describedBy(text: string): BackupDescription {
  return required(parseJson(backupDescription, text));
}

/** Returns the result of a job as the digest of a file. */
export function digestedBy(text: string): Packed {
  return required(parseJson(fileDigest, text));
}

function required<Found>(found: Found | undefined): Found {
  if (found === undefined) {
    throw new NodeError('InternalError', 'A job of a backup has no result.');
  }
  return found;
}

/** Matches the result of the job that removes older backups. */
export const olderResult = z.enum(['removed', 'refused']);
