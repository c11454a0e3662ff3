import type { Finding, Outcome } from './resource.ts';
import type { Severity } from './severity.ts';

/** The outcome of a Resource in a pass, or the result of a check without a remedy. */
type Known =
  | Outcome
  | Finding
  | ({ readonly state: 'Failed' } & Pick<Severity, 'blocks'>)
  | { readonly state: 'Blocked' };

/**
 * True if the dependants of a Resource may run: the Resource is in sync or completely changed, or its drift, wait or
 * failure has `blocks: false`.
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
