import type { Command, Option } from 'commander';
import { buildProgram, type Commands } from '../src/commands/cli.ts';

/** A command of the public command line. */
export interface CommandHelp {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionHelp[];
}

export interface OptionHelp {
  /** The option as the help shows it: `--output <format>`, or `-o, --output <format>` with a short name. */
  readonly flags: string;
  /** The names of the option, with their dashes. */
  readonly names: readonly string[];
  readonly description: string;
  /** The name of the argument, such as `file`; absent if the option takes none. */
  readonly argument?: string;
  /** The values that the argument allows; empty if it allows any. */
  readonly choices: readonly string[];
}

/** Returns the commands of `slipway`, without hidden ones, from the definitions that parse the command line. */
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

/** An empty object instead of the implementations, because no command runs here. */
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
