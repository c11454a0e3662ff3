import type { Cloud } from '../agent/clouds/cloud.ts';
import type { Host } from '../agent/engine/host.ts';
import { delayedTicks } from '../agent/host/clock/rotation-schedule.ts';
import type { BackupPorts } from '../agent/parts/backup/index.ts';
import type { Settings } from '../agent/settings/schema.ts';
import { objectStore } from '../agent/stores/index.ts';
import { version } from '../launcher/version.ts';

/**
 * Returns what the backups of this process need, with the network and the cloud of the process; `undefined` if the
 * settings name no store.
 */
export function backupPortsFor(
  { backup }: Pick<Settings, 'backup'>,
  vmId: string,
  ground: { readonly host: Host; readonly cloud: Cloud },
): BackupPorts | undefined {
  const { to, schedule } = backup;
  if (to === undefined) {
    return undefined;
  }
  return {
    store: () => objectStore({ ...backup, to }, ground),
    vault: ground.cloud,
    next: delayedTicks(schedule, vmId),
    slipway: version,
  };
}
