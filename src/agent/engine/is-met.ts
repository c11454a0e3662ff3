import type { Finding, Outcome } from './resource.ts';
import type { Severity } from './severity.ts';

/** The outcome of a Resource in a pass, the finding of a check, or why it is missing. */
type Known =
  | Outcome
  | Finding
  | ({ readonly state: 'Failed' } & Pick<Severity, 'blocks'>)
  | { readonly state: 'Blocked' };

/**
 * Returns whether dependants may run: a Resource that works does not block them, even if it is to be changed or
 * reported.
 */
export function isMet(known: Known | undefined): boolean {
  switch (known?.state) {
    case 'InSync':
      return true;
    case 'Changed':
      return !known.partial;
    case 'Drifted':
      return known.drift.blocks === false;
    case 'Waiting':
    case 'Failed':
      return known.blocks === false;
    default:
      return false;
  }
}
