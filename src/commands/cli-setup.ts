import type { Command } from 'commander';
import type { InstallOptions, RemovalOptions, UninstallOptions } from '../setup/options.ts';
import { rootOption } from './cli-forms.ts';

/** The commands that install Slipway on a host, or remove it. Each resolves to the exit code. */
export interface SetupCommands {
  install(options: InstallOptions): Promise<number>;
  uninstall(options: UninstallOptions): Promise<number>;
  killK3s(options: RemovalOptions): Promise<number>;
  uninstallK3s(options: RemovalOptions): Promise<number>;
  /** Copies or reads a database, as the JSON text demands, and prints the answer. */
  database(work: string): Promise<number>;
}

/**
 * Adds these commands to `slipway`. The scripts k3s-killall.sh and k3s-uninstall.sh, and Slipway itself, call the
 * hidden commands.
 */
export function addSetupCommands(
  program: Command,
  commands: SetupCommands,
  finish: (code: number) => void,
): void {
  const command = (name: string, description: string, hidden = false) =>
    program.command(name, { hidden }).description(description).addOption(rootOption());
  const removal = (name: string, description: string, hidden = false) =>
    command(name, description, hidden).option('--dry-run', 'print what would be done, and do nothing', false);

  command(
    'install',
    'Install this executable as a service of the host, and enable it without starting it.',
  ).action(async (options: InstallOptions) => finish(await commands.install(options)));
  removal('uninstall', 'Stop Slipway and remove it. K3s stays as it is, unless --k3s is given.')
    .option('--purge', 'also remove settings and state, except for what a remaining K3s needs', false)
    .option('--k3s', 'stop K3s and all it runs, and remove it with all its data', false)
    .option('--nat', 'also end the way out of private hosts through this one', false)
    .action(async (options: UninstallOptions) => finish(await commands.uninstall(options)));
  removal('k3s-killall', 'Stop K3s and all it runs (called by k3s-killall.sh).', true).action(
    async (options: RemovalOptions) => finish(await commands.killK3s(options)),
  );
  removal('k3s-uninstall', 'Remove K3s, and keep Slipway (called by k3s-uninstall.sh).', true).action(
    async (options: RemovalOptions) => finish(await commands.uninstallK3s(options)),
  );
  program
    .command('database', { hidden: true })
    .description('Copy or read a database (called by Slipway itself).')
    .argument('<work>')
    .action(async (work: string) => finish(await commands.database(work)));
}
