import { commandLine } from '../../engine/command-line.ts';
import { CommandOutput } from '../../engine/command-output.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Command, CommandResult } from '../../engine/host.ts';
import { redacted, Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';

/** The time limit, in milliseconds, of a command without a time limit of its own. */
export const usualTimeout = 30_000;

/**
 * Returns `CommandNotFound` for exit code 127, otherwise `CommandFailed` with the last lines of stderr, or of stdout if
 * stderr is empty. Redacts the secrets that the environment of the command contains.
 */
export function commandFailed(command: Command, result: CommandResult): NodeError {
  const line = commandLine(command);
  if (result.exitCode === 127) {
    return new NodeError(
      'CommandNotFound',
      `${line}: ${command.file} is not installed. Install it.`,
      forPerson,
    );
  }
  const said = outputOf(result, command);
  return new NodeError('CommandFailed', `${line} ended with exit code ${result.exitCode}. ${quoted(said)}`, {
    cause: new CommandOutput(said),
  });
}

/** Returns `CommandTimedOut` with the last lines that the command wrote before it was stopped, without secrets. */
export function commandTimedOut(command: Command, result: CommandResult): NodeError {
  const said = outputOf(result, command);
  const seconds = (command.timeout ?? usualTimeout) / 1_000;
  const asks = said === '' ? 'Run it by hand to see what it waits for.' : quoted(said);
  return new NodeError(
    'CommandTimedOut',
    `${commandLine(command)} did not end within ${seconds} s and was stopped. ${asks}`,
    { cause: new CommandOutput(said) },
  );
}

function outputOf({ stderr, stdout }: CommandResult, command: Command): string {
  return withoutSecrets(stderr.trim() || stdout.trim(), command);
}

function quoted(said: string): string {
  return said === '' ? 'It wrote nothing.' : `It wrote: ${lastLines(said)}`;
}

function withoutSecrets(text: string, { env = {} }: Command): string {
  const secrets = Object.values(env)
    .filter((value) => value instanceof Secret)
    .map((secret) => secret.reveal());
  return secrets
    .filter((value) => value !== '')
    .reduce((rest, value) => rest.replaceAll(value, redacted), text);
}

function lastLines(text: string): string {
  return text.split('\n').slice(-10).join('\n').slice(-2_000);
}
