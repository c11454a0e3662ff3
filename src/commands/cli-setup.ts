import type { Command } from 'commander';
import type { InstallOptions, RemovalOptions, UninstallOptions } from '../setup/options.ts';
import { rootOption } from './cli-forms.ts';

/** The commands that put Slipway on a host and take it away. Each resolves to the exit code. */
export interface SetupCommands {
  install(options: InstallOptions): Promise<number>;
  uninstall(options: UninstallOptions): Promise<number>;
  killK3s(options: RemovalOptions): Promise<number>;
  uninstallK3s(options: RemovalOptions): Promise<number>;
}

/** Adds them to the tree. The hidden ones are called by the scripts that K3s' operators know. */
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
    'Put this executable in place as a service of the host, and enable it. It is not started.',
  ).action(async (options: InstallOptions) => finish(await commands.install(options)));
  removal('uninstall', 'Stop Slipway and take it away. K3s stays as it is, unless --k3s is given.')
    .option('--purge', 'remove settings and state too, but for what a K3s that stays needs', false)
    .option('--k3s', 'stop K3s and all it runs, and remove it with all its data', false)
    .action(async (options: UninstallOptions) => finish(await commands.uninstall(options)));
  removal('k3s-killall', 'Stop K3s and all it runs (called by k3s-killall.sh).', true).action(
    async (options: RemovalOptions) => finish(await commands.killK3s(options)),
  );
  removal('k3s-uninstall', 'Remove K3s, and keep Slipway (called by k3s-uninstall.sh).', true).action(
    async (options: RemovalOptions) => finish(await commands.uninstallK3s(options)),
  );
}
