import type { Command } from 'commander';
import { nearest } from '../agent/settings/nearest.ts';
import { type CommonOptions, common, commonOf } from './cli-common.ts';
import { misused, rootOption } from './cli-forms.ts';

export interface ForgetOptions {
  readonly root: string;
  /** The name of the Node to remove. */
  readonly name: string;
  /** True to remove it without asking. */
  readonly yes: boolean;
}

export interface LeaveOptions extends CommonOptions {
  /** True to leave without asking. */
  readonly yes: boolean;
}

/** The commands with which people take nodes out of the cluster. Each resolves to the exit code. */
export interface NodeCommands {
  forgetNode(options: ForgetOptions): Promise<number>;
  leave(options: LeaveOptions): Promise<number>;
}

const yes = ['--yes', 'do it without asking', false] as const;

/** Adds these commands to `slipway`. */
export function addNodeCommands(
  program: Command,
  commands: NodeCommands,
  finish: (code: number) => void,
): void {
  program
    .command('node')
    .argument('[order]', 'forget')
    .argument('[name]', 'the node to remove')
    .description(
      'On a server: forget NAME removes the Node of a VM that is gone or was rebuilt, with its password.',
    )
    .addOption(rootOption())
    .option(...yes)
    .action(async (order: string | undefined, name: string | undefined, options: Given) =>
      finish(await commands.forgetNode({ ...options, name: nameIn(order, name) })),
    );
  common(program.command('leave'))
    .description('On an agent: evict its pods, and stop K3s and Slipway for good. Exit 0: done, 1: not done.')
    .option(...yes)
    .action(async (options) => finish(await commands.leave({ ...commonOf(options), yes: options.yes })));
}

type Given = Pick<ForgetOptions, 'root' | 'yes'>;

function nameIn(order: string | undefined, name: string | undefined): string {
  if (order !== 'forget') {
    const meant = order && nearest(order, ['forget']);
    throw misused('node', `takes forget NAME${meant ? `; did you mean ${meant}?` : '.'}`);
  }
  if (name === undefined) {
    throw misused('node forget', 'lacks the name of a node; write slipway node forget NODE.');
  }
  return name;
}
