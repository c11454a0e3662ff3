import { NodeError } from './errors.ts';

/**
 * The whole output of a failed command, without the secrets of its environment: the cause of `CommandFailed` and
 * `CommandTimedOut`, whose messages quote only its end.
 */
export class CommandOutput extends Error {
  override readonly name = 'CommandOutput';
}

/** Returns the output of the failed command that this error is about; `undefined` for any other error. */
export function failedOutput(thrown: unknown): string | undefined {
  const cause = thrown instanceof NodeError ? thrown.cause : undefined;
  return cause instanceof CommandOutput ? cause.message : undefined;
}
