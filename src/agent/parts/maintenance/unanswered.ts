import { NodeError } from '../../engine/errors.ts';

/**
 * Returns `undefined` in place of a Node that cannot be read, which other Resources report. Throws any other error
 * again.
 */
export function unanswered(thrown: unknown): undefined {
  if (!(thrown instanceof NodeError)) {
    throw thrown;
  }
}
