import { join } from 'node:path';
import type { NodePaths } from '../../paths.ts';
import { nft } from './nft-command.ts';
import type { OwnTable } from './own-table.ts';

export function tableUnitPath({ system }: NodePaths, { unit }: OwnTable): string {
  return join(system.units, unit);
}

export interface TableUnit {
  /** Completes the line Description=. */
  readonly description: string;
  /** The file with the rules. */
  readonly rules: string;
  /** Further units after which the rules are loaded, in words of systemd.unit(5). */
  readonly after?: string;
  /** A command before the rules, such as one that turns forwarding on. */
  readonly first?: string;
}

/**
 * Renders the unit that loads the rules before K3s starts, and again after every start, restart and reload of
 * nftables.service, each of which flushes all tables of the machine.
 *
 * A stop of the unit does not unload the rules, since pods and other hosts keep running during a shutdown. Without
 * nftables systemd skips the unit without a failure; a condition reports this.
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
