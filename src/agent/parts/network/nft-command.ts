import type { Command } from '../../engine/host.ts';

/** Where Debian, Ubuntu and RHEL have it, and by merged folders Fedora and Arch too. */
export const nft = '/usr/sbin/nft';

/** The only table that is ours. */
export const guardTable = ['inet', 'slipway_imds'] as const;

/**
 * An nft command, done by systemd in a unit of its own: netlink wants CAP_NET_ADMIN even of who only looks, and
 * Slipway's sandbox has none. Output and exit code are nft's. The start of that unit is not worth a line in the journal.
 */
export function nftCommand(...args: readonly string[]): Command {
  const options = ['--quiet', '--wait', '--pipe', '--collect', '--no-ask-password'];
  const properties = ['--property=LogLevelMax=notice', '--setenv=LC_ALL=C'];
  return { file: 'systemd-run', args: [...options, ...properties, nft, ...args] };
}
