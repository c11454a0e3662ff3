import type { Command } from '../../engine/host.ts';
import { inTransientUnit } from '../../resources/transient-unit.ts';

/** The path of nft on Debian, Ubuntu and RHEL; also on Fedora and Arch, where /usr/sbin is a link to /usr/bin. */
export const nft = '/usr/sbin/nft';

/** Returns an nft command that runs with the rights that Slipway's sandbox lacks. */
export function nftCommand(...args: readonly string[]): Command {
  return inTransientUnit(nft, ...args);
}
