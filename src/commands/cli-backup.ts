import type { Command } from 'commander';
import { nearest } from '../agent/settings/nearest.ts';
import { type CommonOptions, commonOf, settingsOptions } from './cli-common.ts';
import { minutesOption, misused, outputOption } from './cli-forms.ts';

export interface BackupOptions extends CommonOptions {
  /** The longest wait for the backup, in milliseconds. */
  readonly timeout: number;
}

export interface BackupListOptions extends CommonOptions {
  readonly output: 'table' | 'json';
  /** True to list the backups of every cluster in the store. */
  readonly all: boolean;
}

/** The commands about backups. Each resolves to the exit code. */
export interface BackupCommands {
  backup(options: BackupOptions): Promise<number>;
  listBackups(options: BackupListOptions): Promise<number>;
}

/** Adds these commands to `slipway`. */
export function addBackupCommands(
  program: Command,
  commands: BackupCommands,
  finish: (code: number) => void,
): void {
  settingsOptions(program.command('backup'))
    .argument('[order]', 'list; without it, back up the datastore now')
    .description(
      'On a server: back up the datastore now, and wait until the backup is proven. list shows the backups in the store. Exit 0: it is proven, 1: it is not, 3: the daemon is not running.',
    )
    .addOption(minutesOption('--timeout <minutes>', 'how long to wait for the backup', 60))
    .option('--all', 'with list: show the backups of every cluster, not only of this one', false)
    .addOption(outputOption())
    .action(async (order: string | undefined, { timeout, all, output, ...options }) => {
      const given = commonOf(options);
      finish(
        await (isList(order)
          ? commands.listBackups({ ...given, all, output })
          : commands.backup({ ...given, timeout })),
      );
    });
}

function isList(order: string | undefined): boolean {
  if (order === undefined || order === 'list') {
    return order === 'list';
  }
  const meant = nearest(order, ['list']);
  throw misused('backup', `takes list, or no word${meant ? `; did you mean ${meant}?` : '.'}`);
}
