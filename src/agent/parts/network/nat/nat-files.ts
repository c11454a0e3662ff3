import type { NodePaths } from '../../../paths.ts';
import { renderTableUnit, tableUnitPath } from '../table-unit.ts';
import { natTable } from './nat-table.ts';

/** The switch of the kernel that forwards packets of others (ip-sysctl, ip_forward). */
export const forwarding = '/proc/sys/net/ipv4/ip_forward';

export function natUnitPath(paths: NodePaths): string {
  return tableUnitPath(paths, natTable);
}

/** Returns every file of NAT except for its unit, the one with the rules last: it shows whose way out this host is. */
export function natFiles({ system, slipway }: NodePaths): readonly string[] {
  return [system.natSysctl, slipway.nat];
}

/**
 * Renders the unit that turns forwarding on and loads the rules of NAT.
 *
 * It needs nothing of K3s, of Slipway's daemon or of a cloud, and runs after the programs that load the rules of an
 * image at boot, since some of them flush all tables.
 */
export function renderNatUnit({ slipway }: NodePaths): string {
  return renderTableUnit({
    description: 'Let private hosts out through this one (forwarding and masquerade)',
    rules: slipway.nat,
    after: 'systemd-sysctl.service netfilter-persistent.service ufw.service firewalld.service',
    first: `/bin/sh -c 'echo 1 >${forwarding}'`,
  });
}

/** Renders the setting of the kernel for programs that apply all such files again. A later file would win. */
export function renderNatSysctl(): string {
  return '# Written by Slipway for network.nat.\nnet.ipv4.ip_forward = 1\n';
}
