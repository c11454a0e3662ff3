import { basename, dirname, join } from 'node:path';
import type { NodePaths } from '../../paths.ts';
import { nft } from './nft-command.ts';
import type { OwnTable } from './own-table.ts';

export function tableUnitPath({ system }: NodePaths, { unit }: OwnTable): string {
  return join(system.units, unit);
}

/**
 * Returns the path of the link that makes systemd start an enabled unit at boot. Unlike the unit's state, the link
 * outlives a reboot even if the unit's file is lost.
 */
export function enablingLink(unitFile: string): string {
  return join(dirname(unitFile), 'multi-user.target.wants', basename(unitFile));
}

export interface TableUnit {
  /** The value of Description=. */
  readonly description: string;
  /** The file with the rules. */
  readonly rules: string;
  /** The names, separated by spaces, of other units that start before the rules are loaded. */
  readonly after?: string;
  /** A command that runs before the rules are loaded, such as one that turns forwarding on. */
  readonly first?: string;
}

/**
 * Renders the unit that loads the rules at boot before K3s starts, and again after each restart or reload of
 * nftables.service, which flushes all tables of the machine.
 *
 * Stopping the unit does not unload the rules, since pods and other hosts still need the rules during a shutdown. If
 * nft is missing, systemd skips the unit without a failure, and the table's condition reports `NftablesMissing`.
 */
export function renderTableUnit({ description, rules, after, first }: TableUnit): string {
  const commands = [...(first === undefined ? [] : [first]), `${nft} -f ${rules}`];
  const lines = (key: string) => commands.map((command) => `${key}=${command}\n`).join('');
  return `# Written by Slipway
[Unit]
Description=${description}
ConditionPathExists=${nft}
After=${after === undefined ? '' : `${after} `}nftables.service
PartOf=nftables.service
ReloadPropagatedFrom=nftables.service
Before=k3s.service k3s-agent.service

[Service]
Type=oneshot
RemainAfterExit=yes
${lines('ExecStart')}${lines('ExecReload')}
[Install]
WantedBy=multi-user.target
`;
}
