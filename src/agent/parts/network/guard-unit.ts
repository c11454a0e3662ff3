import { join } from 'node:path';
import type { NodePaths } from '../../paths.ts';
import { nft } from './nft-command.ts';

/** The unit that loads the rules at every boot. */
export const guardUnit = 'slipway-imds-guard.service';

export function guardUnitPath({ system }: NodePaths): string {
  return join(system.units, guardUnit);
}

/**
 * Loads the rules before K3s starts, and again whenever nftables.service did what it does at each start, restart and
 * reload: flush every table of the machine.
 *
 * Nothing is unloaded when it stops: pods go on running at a shutdown for as long as they take to end. On a machine
 * without nftables it is skipped and does not fail; the condition ImdsGuard tells.
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
