import type { HostReader } from '../../../engine/host.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { showUnit } from '../../../resources/unit.ts';

/**
 * The number of restarts by systemd after which K3s counts as down: K3s recovers from a single crash within seconds.
 */
const crashes = 3;

/**
 * True if K3s ends soon after each start, so that the node does not serve and a change can only help. A K3s that starts
 * for the first time since the boot is not down: otherwise all nodes would be changed at once after a power cut.
 */
export async function isDown(host: HostReader, { role }: K3sNode): Promise<boolean> {
  const shown = await showUnit(host, unitName(role.k3s), ['ActiveState', 'NRestarts']);
  const { ActiveState, NRestarts } = shown;
  return ActiveState === 'failed' || (ActiveState === 'activating' && Number(NRestarts) >= crashes);
}
