import type { Command } from '../../engine/host.ts';

/** The path of nft on Debian, Ubuntu and RHEL; also on Fedora and Arch, where /usr/sbin is a link to /usr/bin. */
export const nft = '/usr/sbin/nft';

/**
 * Returns an nft command that systemd runs in a transient unit, since nft requires CAP_NET_ADMIN even to list rules,
 * and Slipway's sandbox lacks that capability. Output and exit code are those of nft. systemd does not log the start of
 * the unit.
 */
export function nftCommand(...args: readonly string[]): Command {
  const options = ['--quiet', '--wait', '--pipe', '--collect', '--no-ask-password'];
  const properties = ['--property=LogLevelMax=notice', '--setenv=LC_ALL=C'];
  return { file: 'systemd-run', args: [...options, ...properties, nft, ...args] };
}
