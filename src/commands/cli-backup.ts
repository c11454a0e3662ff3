import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
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

export interface RestoreOptions extends CommonOptions {
  /** The path of the copy to restore, with its manifest beside it, or the id of a backup; `undefined` to list them. */
  readonly from: string | undefined;
  /** True to go on with this server's own etcd, instead of a copy. */
  readonly reset: boolean;
  /** The cluster of the copy, if it may take the place of another cluster. */
  readonly otherCluster: string | undefined;
  /** True to only print what the restore will do. */
  readonly plan: boolean;
  /** True to restore without asking. */
  readonly yes: boolean;
}

/** The commands about backups. Each resolves to the exit code. */
export interface BackupCommands {
  backup(options: BackupOptions): Promise<number>;
  listBackups(options: BackupListOptions): Promise<number>;
  restore(options: RestoreOptions): Promise<number>;
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
  addRestoreCommand(program, commands, finish);
}

function addRestoreCommand(program: Command, commands: BackupCommands, finish: (code: number) => void): void {
  settingsOptions(program.command('restore'))
    .description(
      "Replace this server's datastore (SQLite or embedded etcd) with a copy, a backup or a snapshot; without --from, list them. Exit 0: restored, 1: not, 2: it would be (with --plan).",
    )
    .addOption(
      new Option(
        '--from <copy>',
        'the id of a backup, or the path of a copy or of a snapshot of etcd, such as /var/lib/slipway/backup/state-TIME.db',
      ).argParser(copyIn),
    )
    .option(
      '--other-cluster <ca>',
      'restore the cluster with this CA in place of the present one, such as on a new VM',
    )
    .option(
      '--reset',
      'go on with the own etcd of this server, if the other servers are lost for good and there is no copy',
      false,
    )
    .option('--plan', 'print what would be done, and do nothing', false)
    .option('--yes', 'do it without asking', false)
    .action(async ({ from, reset, otherCluster, plan, yes, ...options }) => {
      if (reset && (from ?? otherCluster) !== undefined) {
        throw misused(
          '--reset',
          'goes on with the own etcd of this server, so leave --from and --other-cluster out.',
        );
      }
      finish(await commands.restore({ ...commonOf(options), from, reset, otherCluster, plan, yes }));
    });
}

/** Matches the id of a backup, which is not a path. */
const backupForm = /^\d{8}T\d{6}Z-[^/]+$/;

function copyIn(text: string): string {
  if (text === '') {
    throw misused('--from', 'is empty; write --from <copy>, or leave it out to list the copies.');
  }
  return backupForm.test(text) ? text : resolve(text);
}

function isList(order: string | undefined): boolean {
  if (order === undefined || order === 'list') {
    return order === 'list';
  }
  const meant = nearest(order, ['list']);
  throw misused('backup', `takes list, or no word${meant ? `; did you mean ${meant}?` : '.'}`);
}
