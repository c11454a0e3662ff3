import { NodeError } from '../../../engine/errors.ts';
import { forPerson } from '../../../engine/severity.ts';

/** Returns the error of a restore that was refused before any change. `why` has the reason, and what to do. */
export function restoreRefused(why: string): NodeError {
  return new NodeError('RestoreRefused', `Nothing was changed: ${why}.`, forPerson);
}
