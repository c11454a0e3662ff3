import { join } from 'node:path';
import type { NodePaths } from './paths.ts';

/** The files about copies and backups of the datastore, for the table of own files (own-files.ts). */
export const datastoreFiles = {
  datastoreCopy: {
    format: 1,
    place: ({ slipway }: NodePaths) => join(slipway.backup, '*.db.json'),
    holds:
      'the manifest of a copy of the datastore: its size and digest, the time and the purpose of the copy, the K3s release, and digests of the CA and of the token',
    readers: 'the daemon; `slipway restore`',
    lost: 'the copy does not count: Slipway makes another one when it needs one, and then removes the file without a manifest; `slipway restore` refuses the file',
  },
  backups: {
    format: 1,
    place: ({ slipway }: NodePaths) => slipway.backups,
    holds:
      'the backup that is under way, the last proven backup, why the last one was given up, and which ones in the store were never proven',
    readers: 'the daemon; `slipway backup`',
    lost: 'Slipway makes a backup at once; until then, `slipway status` and the metrics show no proven backup',
  },
  backupRequest: {
    format: 1,
    place: ({ slipway }: NodePaths) => slipway.backupRequest,
    holds: 'that a person has asked for a backup with `slipway backup`, and when',
    readers: 'the daemon',
    lost: 'the next backup is made as scheduled',
  },
  backupManifest: {
    format: 1,
    place: ({ slipway }: NodePaths) => join(slipway.fetched, '*.db.json'),
    holds:
      'the manifest of a backup, also in the store: what the manifest of a copy has, and the node, the releases and the size of the compressed data',
    readers: 'the daemon; `slipway backup list`; `slipway restore`',
    lost: 'the backup does not exist: `slipway backup list` leaves it out, and `slipway restore` refuses it',
  },
} as const;
