/**
 * An Outcome in words. Every text about one, as a condition, in status, plan, log, doctor or setup, as text or JSON, is
 * made of this: a new state does not compile before it is described here.
 */
import type { Reason } from './reasons.ts';
import type { Change, Finding, Outcome, Resource } from './resource.ts';
import type { Severity } from './severity.ts';

/** The finding of a Resource's check alone, or why it is missing. */
export type Checked = { readonly resource: Resource } & (
  | Finding
  | ({ readonly state: 'Failed'; readonly reason: Reason; readonly message: string } & Pick<
      Severity,
      'blocks'
    >)
  | { readonly state: 'Blocked'; readonly by: string }
);

/**
 * What it means for a reader who asks what is to be done: nothing; a change; something that follows a change; a wait; a
 * failure that blocks dependants; or a note, which does not.
 */
export type Standing = 'in sync' | 'change' | 'follow' | 'wait' | 'stop' | 'note';

export interface Description {
  readonly standing: Standing;
  /** Status, reason and message of the condition to which the Resource belongs. */
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  /** Empty if there is nothing to report. */
  readonly message: string;
  readonly changes?: readonly Change[];
  readonly blocks?: boolean;
  /** When to check again, at the latest; epoch milliseconds. */
  readonly until?: number | undefined;
}

/** Describes the outcome of a Resource in a pass, or the finding of a check alone. */
export function describe(outcome: Outcome | Checked): Description {
  const { summary } = outcome.resource;
  switch (outcome.state) {
    case 'InSync': {
      const { message = '', until } = outcome;
      return { standing: 'in sync', status: 'True', reason: 'InSync', message, until };
    }
    case 'Changed': {
      const { did: message, changes } = outcome;
      return { standing: 'change', status: 'True', reason: 'Changed', message, changes };
    }
    case 'Recorded':
      return toChange(summary, outcome.changes);
    case 'Drifted':
      return toChange(outcome.drift.summary ?? summary, outcome.drift.changes);
    case 'Waiting':
    case 'Failed': {
      const { reason, message, blocks = true } = outcome;
      const until = 'lookAgainAt' in outcome ? outcome.lookAgainAt : undefined;
      const [standing, status] = outcome.state === 'Failed' ? failed : waits;
      return { standing: blocks ? standing : 'note', status, reason, message, blocks, until };
    }
    case 'Blocked':
      return { standing: 'follow', status: 'Unknown', reason: 'Blocked', message: `waits for ${outcome.by}` };
  }
}

const failed = ['stop', 'False'] as const;
const waits = ['wait', 'Unknown'] as const;

function toChange(message: string, changes: readonly Change[]): Description {
  return { standing: 'change', status: 'Unknown', reason: 'Recorded', message, changes };
}

/** Returns an outcome as status and plan show it in JSON. Names and words stay stable; new ones may be added. */
export function outcomeJson(outcome: Outcome) {
  const { reason, message, changes, blocks, until } = describe(outcome);
  return { state: outcome.state, reason, message: message || undefined, changes, blocks, until };
}
