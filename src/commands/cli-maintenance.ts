import type { Command } from 'commander';
import { nearest } from '../agent/settings/nearest.ts';
import { misused, outputOption, rootOption } from './cli-forms.ts';

export interface HoldOptions {
  readonly root: string;
  /** The reason for the hold, as people wrote it. */
  readonly reason: string;
  /** True to end the hold. */
  readonly release: boolean;
}

export interface TurnOptions {
  readonly root: string;
  readonly output: 'table' | 'json';
}

export interface TurnOrderOptions {
  readonly root: string;
  readonly order: 'release' | 'continue' | 'now';
  /** The name of the node or the wish; empty for all wishes. */
  readonly about: string;
}

/** The commands with which people stop and allow interruptions of a node. Each resolves to the exit code. */
export interface MaintenanceCommands {
  hold(options: HoldOptions): Promise<number>;
  turn(options: TurnOptions): Promise<number>;
  orderTurn(options: TurnOrderOptions): Promise<number>;
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
    .description(
      'Keep Slipway from starting, restarting or upgrading K3s on this node, until the hold is released.',
    )
    .addOption(rootOption())
    .option('--release', 'end the hold', false)
    .action(async (reason: readonly string[], options: Omit<HoldOptions, 'reason'>) =>
      finish(await commands.hold({ ...options, reason: reason.join(' ') })),
    );
  addTurnCommand(program, commands, finish);
}

const turnOrders = ['release', 'continue', 'now'] as const;

function addTurnCommand(
  program: Command,
  commands: MaintenanceCommands,
  finish: (code: number) => void,
): void {
  program
    .command('turn')
    .argument('[order]', `${turnOrders.join(', ')}; without an order, show the turns`)
    .argument(
      '[about...]',
      'the node to release or to put first, or the wish (the pending change) to continue with',
    )
    .description(
      'On a server: show which nodes are interrupted or wait for their turn. release NODE frees a turn that will not end, continue [WISH] forgets failures, now NODE puts a waiting node first.',
    )
    .addOption(rootOption())
    .addOption(outputOption())
    .action(async (given: string | undefined, words: readonly string[], { root, output }: TurnOptions) =>
      finish(
        await (given === undefined
          ? commands.turn({ root, output })
          : commands.orderTurn({ root, ...turnOrder(given, words.join(' ')) })),
      ),
    );
}

function turnOrder(given: string, about: string): Pick<TurnOrderOptions, 'order' | 'about'> {
  const order = turnOrders.find((each) => each === given);
  if (order === undefined) {
    const meant = nearest(given, turnOrders);
    throw misused('turn', `takes ${turnOrders.join(', ')}${meant ? `; did you mean ${meant}?` : '.'}`);
  }
  if (order !== 'continue' && about === '') {
    throw misused(`turn ${order}`, `lacks the name of a node; write slipway turn ${order} NODE.`);
  }
  return { order, about };
}
