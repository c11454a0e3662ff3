import type { Command } from '../../engine/host.ts';

/** The path on Debian, Ubuntu and RHEL, and by merged folders on Fedora and Arch. */
export const nft = '/usr/sbin/nft';

/** The only table of ours. */
export const guardTable = ['inet', 'slipway_imds'] as const;

/**
 * Returns an nft command that systemd runs in a transient unit: netlink requires CAP_NET_ADMIN even to list, and
 * Slipway's sandbox lacks it. Output and exit code are nft's. The start of that unit is not logged.
 */
export function nftCommand(...args: readonly string[]): Command {
  const options = ['--quiet', '--wait', '--pipe', '--collect', '--no-ask-password'];
  const properties = ['--property=LogLevelMax=notice', '--setenv=LC_ALL=C'];
  return { file: 'systemd-run', args: [...options, ...properties, nft, ...args] };
}
