import type { Command } from '../engine/host.ts';

/**
 * Returns a command that systemd runs in a transient unit, for programs that need CAP_NET_ADMIN even to list rules,
 * since Slipway's sandbox lacks this capability. Output and exit code are those of the program, whose path must be
 * absolute. systemd does not log the start of the unit.
 */
export function inTransientUnit(program: string, ...args: readonly string[]): Command {
  const options = ['--quiet', '--wait', '--pipe', '--collect', '--no-ask-password'];
  const properties = ['--property=LogLevelMax=notice', '--setenv=LC_ALL=C'];
  return { file: 'systemd-run', args: [...options, ...properties, program, ...args] };
}
