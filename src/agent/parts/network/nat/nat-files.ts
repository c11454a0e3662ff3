import type { NodePaths } from '../../../paths.ts';
import { renderTableUnit, tableUnitPath } from '../table-unit.ts';
import { natTable } from './nat-table.ts';

/** The kernel's switch for IPv4 forwarding (ip-sysctl, ip_forward). */
export const forwarding = '/proc/sys/net/ipv4/ip_forward';

export function natUnitPath(paths: NodePaths): string {
  return tableUnitPath(paths, natTable);
}

/**
 * Returns every file of NAT except for its unit. The rules file comes last, so that it is removed last: it names the
 * ranges that use this host.
 */
export function natFiles({ system, slipway }: NodePaths): readonly string[] {
  return [system.natSysctl, slipway.nat];
}

/**
 * Renders the unit that turns forwarding on and loads the rules of NAT.
 *
 * The unit does not depend on K3s, the Slipway daemon or a cloud. It runs after the programs that load an image's
 * firewall rules at boot, since some of these programs flush all tables.
 */
export function renderNatUnit({ slipway }: NodePaths): string {
  return renderTableUnit({
    description: 'Let private hosts out through this one (forwarding and masquerade)',
    rules: slipway.nat,
    after: 'systemd-sysctl.service netfilter-persistent.service ufw.service firewalld.service',
    first: `/bin/sh -c 'echo 1 >${forwarding}'`,
  });
}

/**
 * Renders the sysctl file that keeps forwarding on if a program applies all sysctl files again. A file whose name sorts
 * later can override it.
 */
export function renderNatSysctl(): string {
  return '# Written by Slipway for network.nat.\nnet.ipv4.ip_forward = 1\n';
}
