import * as z from 'zod/mini';
import { readOwn, renderOwn } from '../../engine/own-file.ts';
import { ownFiles } from '../../own-files.ts';
import { copyManifest } from '../k3s/index.ts';
import { idForm } from './names.ts';

/** The form of the size and the SHA-256 of a file. */
export const fileDigest = z.object({ bytes: z.number(), sha256: z.string() });

/** The description of the data of a backup, before it is compressed. */
export const backupDescription = z.extend(copyManifest, {
  id: z.string().check(z.regex(idForm)),
  /** The name of the node that made the backup. */
  node: z.string(),
  /** The version of Slipway that made it. */
  slipway: z.string(),
  /** What names the version of the join token in the vault; absent if the vault shows no version. */
  tokenVersion: z.optional(z.string()),
});

export type BackupDescription = Readonly<z.output<typeof backupDescription>>;

/** The manifest of a backup in a store. `bytes` and `sha256` are those of the data, `packed` those of the object. */
const backupManifest = z.extend(backupDescription, {
  compression: z.literal('zstd'),
  packed: z.readonly(fileDigest),
});

export type BackupManifest = Readonly<z.output<typeof backupManifest>>;

/** Returns the text of a manifest. The same backup always has the same text. */
export function manifestText(description: BackupDescription, packed: BackupManifest['packed']): string {
  return renderOwn(ownFiles.backupManifest, { ...description, compression: 'zstd', packed });
}

/** Returns the manifest in a text; `undefined` if the text is damaged or of an unknown form. */
export function readManifestText(text: string): BackupManifest | undefined {
  return readOwn(backupManifest, text);
}
