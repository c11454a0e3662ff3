import { NodeError } from '../../engine/errors.ts';
import { advisory } from '../../engine/severity.ts';

/** Returns the error of a backup that does not count. `why` completes the sentence "it does not count: ...". */
export function notProven(id: string, why: string): NodeError {
  return new NodeError(
    'BackupNotProven',
    `The backup ${id} does not count: ${why}. The last proven backup stays, and Slipway makes a new one in an hour. For one now: ` +
      'slipway backup',
    advisory,
  );
}
