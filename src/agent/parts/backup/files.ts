import { join } from 'node:path';
import type { NodePaths } from '../../paths.ts';

/** The files of a backup that is under way, in a folder of their own. */
export interface BackupFiles {
  readonly folder: string;
  readonly copy: string;
  readonly packed: string;
  /** What comes back from the store, as it is there and decompressed. */
  readonly returned: string;
  readonly opened: string;
}

/** Returns the files of the backup that is under way. */
export function backupFiles({ slipway }: NodePaths): BackupFiles {
  const folder = slipway.outgoing;
  const at = (name: string) => join(folder, name);
  return {
    folder,
    copy: at('datastore'),
    packed: at('datastore.zst'),
    returned: at('returned.zst'),
    opened: at('returned'),
  };
}
