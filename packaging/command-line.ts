import type { Command, Option } from 'commander';
import { buildProgram, type Commands } from '../src/commands/cli.ts';

/** A command of the public command line. */
export interface CommandHelp {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionHelp[];
}

export interface OptionHelp {
  /** As `--output <format>`; `-o, --output <format>` with a short name. */
  readonly flags: string;
  /** Its names, with their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** The name of its argument, such as `file`; absent if it takes no argument. */
  readonly argument?: string;
  /** All values of its argument, if they are fixed. */
  readonly choices: readonly string[];
}

/** Returns the commands of `slipway` from the definitions that parse them, without hidden ones. */
export function commandLine(): readonly CommandHelp[] {
  const program = buildProgram(
    noCommands,
    () => {},
    () => {},
  );
  const help = program.createHelp();
  return help
    .visibleCommands(program)
    .filter((command) => command.name() !== 'help')
    .map((command) => ({
      name: command.name(),
      description: command.description(),
      options: optionsOf(command),
    }));
}

/** The command tree; it is not modified. */
const noCommands: Commands = Object.create(null);

function optionsOf(command: Command): readonly OptionHelp[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help')
    .map((option) => ({
      flags: option.flags,
      names: [option.short, option.long].filter((name) => name !== undefined),
      description: described(option),
      ...(option.required && { argument: /<(.+)>/.exec(option.flags)?.[1] ?? '' }),
      choices: option.argChoices ?? [],
    }));
}

function described({ description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const usual = defaultValueDescription ?? (typeof defaultValue === 'string' ? defaultValue : undefined);
  const notes = [argChoices?.join(' or '), usual && `default ${usual}`].filter(Boolean);
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`;
}
