import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { type CommonOptions, commonOf, settingsOptions } from './cli-common.ts';
import { misused } from './cli-forms.ts';

export interface KubeconfigOptions extends CommonOptions {
  /** The address of the server in the kubeconfig; `undefined` for the one that the settings or the machine name. */
  readonly server: string | undefined;
  /** The absolute path of the file to write, or `-` for any standard output; `undefined` for a private one. */
  readonly output: string | undefined;
}

/** The commands that give people access to the cluster. Each resolves to the exit code. */
export interface AccessCommands {
  kubeconfig(options: KubeconfigOptions): Promise<number>;
}

/** Adds these commands to `slipway`. */
export function addAccessCommands(
  program: Command,
  commands: AccessCommands,
  finish: (code: number) => void,
): void {
  settingsOptions(program.command('kubeconfig'))
    .description("On a server: print the admin's kubeconfig for use on another machine.")
    .option('--server <host>', 'the address at which that machine reaches the server')
    .addOption(
      new Option(
        '-o, --output <file>',
        'write this new file with mode 0600; - prints even on a terminal',
      ).argParser(placeIn),
    )
    .action(async ({ server, output, ...options }) =>
      finish(await commands.kubeconfig({ ...commonOf(options), server, output })),
    );
}

function placeIn(text: string): string {
  if (text === '') {
    throw misused('--output', 'is empty; write --output <file>, or leave it out.');
  }
  return text === '-' ? text : resolve(text);
}
