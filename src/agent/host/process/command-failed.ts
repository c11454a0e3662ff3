import { commandLine } from '../../engine/command-line.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Command, CommandResult } from '../../engine/host.ts';
import { redacted, Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';

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
  const said = lastLines(withoutSecrets(result.stderr.trim() || result.stdout.trim(), command));
  const quoted = said === '' ? 'It wrote nothing.' : `It wrote: ${said}`;
  return new NodeError('CommandFailed', `${line} ended with exit code ${result.exitCode}. ${quoted}`);
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
