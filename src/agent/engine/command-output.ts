import { NodeError } from './errors.ts';

/**
 * The stderr of a failed command, or its stdout if stderr is empty, without the secrets of its environment. It is the
 * cause of `CommandFailed` and `CommandTimedOut`, whose messages quote only the last lines.
 */
export class CommandOutput extends Error {
  override readonly name = 'CommandOutput';
}

/** Returns the output of the failed command that this error is about; `undefined` for any other error. */
export function failedOutput(thrown: unknown): string | undefined {
  const cause = thrown instanceof NodeError ? thrown.cause : undefined;
  return cause instanceof CommandOutput ? cause.message : undefined;
}
