import type { Host } from '../../../engine/host.ts';
import { type K3sNode, unitName } from '../../../node.ts';
import { systemctl } from '../../../resources/unit.ts';

/** The milliseconds that systemd may take to stop K3s; its default is 90 seconds. */
const longestStop = 100_000;

/** Stops K3s, and resolves once it has ended. */
export async function stopK3s(host: Host, { role }: Pick<K3sNode, 'role'>): Promise<void> {
  await host.run({ ...systemctl('stop', unitName(role.k3s)), timeout: longestStop });
}
