import type { Command, Option } from 'commander';
import { buildProgram, type Commands } from '../src/commands/cli.ts';

/** A command, as its users see it. */
export interface CommandHelp {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionHelp[];
}

export interface OptionHelp {
  /** As `--output <format>`; `-o, --output <format>` with a short name. */
  readonly flags: string;
  /** Its names, as they are typed. */
  readonly names: readonly string[];
  readonly description: string;
  /** What its argument is, such as `file`; absent where it takes none. */
  readonly argument?: string;
  /** All that its argument can be, if that is fixed. */
  readonly choices: readonly string[];
}

/** What a person can type after `slipway`, from the definitions that read it. Hidden commands are left out. */
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

/** The tree is only read. */
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
