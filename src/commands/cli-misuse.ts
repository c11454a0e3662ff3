import type { Command, CommanderError } from 'commander';
import type { NodeError } from '../agent/engine/errors.ts';
import { nearest } from '../agent/settings/nearest.ts';
import { misused } from './cli-forms.ts';

/**
 * Returns our own error for a command line that commander refused: commander's message quotes the value, which may be a
 * secret.
 */
export function misuse(
  { code, message }: CommanderError,
  program: Command,
  args: readonly string[],
): NodeError {
  const command = program.commands.find((each) => each.name() === args[0]) ?? program;
  const [, said = ''] = /'([^']*)'/.exec(message) ?? [];
  switch (code) {
    case 'commander.unknownOption':
      return unknownOption(command, /^(?:--[\w-]*|-\w?)/.exec(said)?.[0] ?? '');
    case 'commander.optionMissingArgument':
      return misused(nameOf(said), `lacks its value; write ${said}.`);
    case 'commander.excessArguments':
      return misused(
        command.name(),
        `takes options only; remove the bare word, or put its option before it. ${more(command)}`,
      );
    default:
      return unknownCommand(program, args[0] === 'help' ? args[1] : args[0]);
  }
}

function unknownOption(command: Command, name: string): NodeError {
  const known = command.createHelp().visibleOptions(command);
  const names = known.flatMap(({ long }) => long ?? []);
  if (names.includes(name)) {
    return misused(name, `takes no value; write ${name} alone.`);
  }
  const meant = nearest(name, names);
  return misused(
    name,
    `is not an option of ${fullName(command)}; ${meant ? `did you mean ${meant}? ` : ''}${more(command)}`,
  );
}

function unknownCommand(program: Command, word = ''): NodeError {
  const known = program.createHelp().visibleCommands(program);
  const meant = nearest(
    word,
    known.map((command) => command.name()),
  );
  // A first word with other characters may be a secret, so the message does not repeat it.
  const name = /^[\w-]{1,40}$/.test(word) ? word : 'the first word';
  return misused(name, `is not a command; ${meant ? `did you mean ${meant}? ` : ''}${more(program)}`);
}

function nameOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function more(command: Command): string {
  return `${fullName(command)} --help lists what there is.`;
}

function fullName(command: Command): string {
  return command.parent ? `${command.parent.name()} ${command.name()}` : command.name();
}
