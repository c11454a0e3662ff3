import type { Finding, Outcome } from './resource.ts';
import type { Severity } from './severity.ts';

/** What a pass made of a Resource, or what a check found, or why there was none. */
type Known =
  | Outcome
  | Finding
  | ({ readonly state: 'Failed' } & Pick<Severity, 'blocks'>)
  | { readonly state: 'Blocked' };

/** Returns whether dependants go on: what works does not keep them, even if something is to be done or reported. */
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
