import type { Vault } from '../../clouds/cloud.ts';
import type { ObjectStore } from '../../stores/store.ts';
import type { NextBackup } from './due.ts';

/** What the backups of this process need besides the node. */
export interface BackupPorts {
  /** Makes the store that the settings name. Throws the errors of unsuitable settings. */
  readonly store: () => ObjectStore;
  readonly vault: Pick<Vault, 'secretVersion'>;
  readonly next: NextBackup;
  /** The version of Slipway. */
  readonly slipway: string;
}
