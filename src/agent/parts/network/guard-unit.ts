import { join } from 'node:path';
import type { NodePaths } from '../../paths.ts';
import { nft } from './nft-command.ts';

/** The unit that loads the rules at every boot. */
export const guardUnit = 'slipway-imds-guard.service';

export function guardUnitPath({ system }: NodePaths): string {
  return join(system.units, guardUnit);
}

/**
 * Renders the unit that loads the rules before K3s starts, and again after every start, restart and reload of
 * nftables.service, each of which flushes all tables of the machine.
 *
 * A stop of the unit does not unload the rules, since pods keep running during a shutdown. Without nftables systemd
 * skips the unit without a failure; the condition ImdsGuard reports this.
 */
export function renderGuardUnit({ slipway }: NodePaths): string {
  const load = `${nft} -f ${slipway.imdsGuard}`;
  return `# Written by Slipway
[Unit]
Description=Keep pods from the instance metadata service
ConditionPathExists=${nft}
After=nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Before=k3s.service k3s-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=${load}
ExecReload=${load}

[Install]
WantedBy=multi-user.target
`;
}
