import * as z from 'zod/mini';
import type { Host, HostReader } from '../../engine/host.ts';
import { readOwn, renderOwn } from '../../engine/own-file.ts';
import { ownFiles } from '../../own-files.ts';
import type { NodePaths } from '../../paths.ts';
import { fileText } from '../../resources/file-text.ts';
import { backupDescription, fileDigest } from './manifest.ts';

const record = z.object({
  /** The setting `backup.to` to which the record belongs. */
  to: z.string(),
  /** When the last backup began, proven or not. */
  began: z.optional(z.string()),
  /** The backup that is under way, with the results of its steps so far. */
  underWay: z.optional(
    z.object({
      id: z.string(),
      reason: z.string(),
      description: z.optional(backupDescription),
      packed: z.optional(z.readonly(fileDigest)),
      isStored: z.optional(z.boolean()),
    }),
  ),
  /**
   * The last backup that was read back. `older` tells whether older ones were then removed, or the store refused;
   * `isStuck` that their removal has failed, so that the next backup does not wait for it.
   */
  proven: z.optional(
    z.object({
      id: z.string(),
      ca: z.string(),
      madeAt: z.string(),
      bytes: z.number(),
      stored: z.number(),
      older: z.optional(z.enum(['removed', 'refused'])),
      isStuck: z.optional(z.boolean()),
    }),
  ),
  /** The last backup that was given up, and why; absent once a later one is proven. */
  failed: z.optional(z.object({ id: z.string(), at: z.string(), why: z.string() })),
  /** The backups that were stored and never proven, as far as the store may still have them. They do not count. */
  unproven: z.optional(z.readonly(z.array(z.string()))),
});

/** What a server remembers of its backups. */
export type BackupRecord = Readonly<z.output<typeof record>>;
export type UnderWay = NonNullable<BackupRecord['underWay']>;

/** Returns what this server remembers of its backups in the store that `to` names; without a record, only `to`. */
export async function readRecord(
  host: HostReader,
  { slipway }: NodePaths,
  to: string,
): Promise<BackupRecord> {
  const found = readOwn(record, await fileText(host, slipway.backups));
  return found?.to === to ? found : { to };
}

/** Writes the record. */
export async function writeRecord(host: Host, { slipway }: NodePaths, changed: BackupRecord): Promise<void> {
  await host.writeFile(slipway.backups, renderOwn(ownFiles.backups, changed), { mode: 0o600 });
}

/** The largest number of unproven backups that the record names. */
const mostUnproven = 1_000;

/** Returns the record without the backup that is under way, which will never be proven. */
export function withoutUnderWay(record: BackupRecord): BackupRecord {
  const { underWay, ...kept } = record;
  return underWay?.isStored
    ? { ...kept, unproven: [...(kept.unproven ?? []), underWay.id].slice(-mostUnproven) }
    : kept;
}

/** Returns the record after the older backups were removed, or after the store has refused that. */
export function withOlder(
  record: BackupRecord,
  proven: NonNullable<BackupRecord['proven']>,
  older: 'removed' | 'refused',
): BackupRecord {
  const { unproven = [], ...kept } = record;
  const left = older === 'refused' ? unproven : unproven.filter((id) => id > proven.id);
  return { ...kept, proven: { ...proven, older }, ...(left.length > 0 && { unproven: left }) };
}
