import type { Command } from 'commander';
import { rootOption } from './cli-forms.ts';

export interface HoldOptions {
  readonly root: string;
  /** The reason for the hold, as people wrote it. */
  readonly reason: string;
  /** True to end the hold. */
  readonly release: boolean;
}

/** The commands with which people stop and allow interruptions of a node. Each resolves to the exit code. */
export interface MaintenanceCommands {
  hold(options: HoldOptions): Promise<number>;
}

/** Adds these commands to `slipway`. */
export function addMaintenanceCommands(
  program: Command,
  commands: MaintenanceCommands,
  finish: (code: number) => void,
): void {
  program
    .command('hold')
    .argument('[reason...]', 'why, shown wherever the node reports its state')
    .description('Stop all starts, restarts and updates of K3s on this node, until the hold is released.')
    .addOption(rootOption())
    .option('--release', 'end the hold', false)
    .action(async (reason: readonly string[], options: Omit<HoldOptions, 'reason'>) =>
      finish(await commands.hold({ ...options, reason: reason.join(' ') })),
    );
}
