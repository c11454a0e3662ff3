import { join } from 'node:path';
import * as z from 'zod/mini';
import { compactTime } from '../../../engine/compact-time.ts';
import type { HostReader } from '../../../engine/host.ts';
import { readOwn } from '../../../engine/own-file.ts';
import type { NodePaths } from '../../../paths.ts';
import type { DatastoreKind } from './datastore-kind.ts';

/** The form of the description of a copy of the datastore, in a file beside the copy. */
export const copyManifest = z.object({
  /** The kind of datastore. */
  datastore: z.string(),
  /** The K3s release that wrote the datastore. */
  k3s: z.string(),
  /** The SHA-256 of the CA of the cluster, as in a K10 token. */
  ca: z.string(),
  /** The first 12 hex digits of the SHA-256 of the token that encrypts the bootstrap data. */
  token: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  /** The newest revision in the datastore, and the number of rows or revisions that are objects of Kubernetes. */
  revision: z.number(),
  objects: z.number(),
  /** The time of the copy in the format of RFC 3339. */
  madeAt: z.string(),
  /** The change before which the copy was made, such as `upgrade v1.36.4+k3s1`. */
  reason: z.string(),
});

export type CopyManifest = Readonly<z.output<typeof copyManifest>>;

/** A copy of the datastore with its path and its manifest. */
export interface DatastoreCopy extends CopyManifest {
  readonly path: string;
}

/** The name of a copy that has no manifest yet. */
const draftName = 'unproven.db';

/** Returns the path to which a copy is made before it gets its manifest. */
export function draftPath({ slipway }: NodePaths): string {
  return join(slipway.backup, draftName);
}

/** Returns the path of the copy of a datastore that was made at a time, in epoch milliseconds. */
export function copyPath({ slipway }: NodePaths, kind: DatastoreKind, time: number): string {
  return join(slipway.backup, `${kind === 'sqlite' ? 'state' : kind}-${compactTime(time)}.db`);
}

/** Returns the path of the manifest of a copy. */
export function manifestPath(copy: string): string {
  return `${copy}.json`;
}

/** Reads the manifest of a copy; `undefined` if it is missing or damaged. */
export async function readManifest(host: HostReader, copy: string): Promise<CopyManifest | undefined> {
  const found = await host.readFile(manifestPath(copy));
  return found && readOwn(copyManifest, found.content);
}

/** Returns the copies in the folder of copies that have a manifest and the size that it states, the oldest first. */
export async function datastoreCopies(host: HostReader, paths: NodePaths): Promise<readonly DatastoreCopy[]> {
  const copies: DatastoreCopy[] = [];
  for (const name of await host.list(paths.slipway.backup)) {
    const path = join(paths.slipway.backup, name);
    if (name === draftName || !name.endsWith('.db')) {
      continue;
    }
    const [found, stat] = [await readManifest(host, path), await host.stat(path)];
    if (found && stat?.kind === 'file' && stat.size === found.bytes) {
      copies.push({ ...found, path });
    }
  }
  return copies.sort((one, other) => Date.parse(one.madeAt) - Date.parse(other.madeAt));
}

/** Returns the files in the folder of copies that do not belong to any of the copies to keep. */
export async function surplusFiles(
  host: HostReader,
  { slipway }: NodePaths,
  kept: readonly DatastoreCopy[],
): Promise<readonly string[]> {
  const keep = kept.flatMap(({ path }) => [path, manifestPath(path)]);
  const names = (await host.list(slipway.backup)).filter((name) => ownName.test(name));
  return names.map((name) => join(slipway.backup, name)).filter((path) => !keep.includes(path));
}

/** Matches the names that Slipway gives to files in the folder of copies, hidden drafts too. */
const ownName =
  /^((state|etcd)-\d{8}T\d{6}Z|unproven)\.db(\.json)?$|^\.((state|etcd)-|unproven\.db).*slipway-tmp-/;
