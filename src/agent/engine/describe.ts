/**
 * Describes an Outcome for conditions, status, plan, log, doctor and setup, which show the description as text or JSON.
 * A new state does not compile without a description here.
 */
import type { Reason } from './reasons.ts';
import type { Change, Finding, Outcome, Resource } from './resource.ts';
import type { Severity } from './severity.ts';

/** The result of a check without a remedy: its finding, its failure, or the resource that blocks it. */
export type Checked = { readonly resource: Resource } & (
  | Finding
  | ({ readonly state: 'Failed'; readonly reason: Reason; readonly message: string } & Pick<
      Severity,
      'blocks'
    >)
  | { readonly state: 'Blocked'; readonly by: string }
);

/**
 * The meaning of an outcome for a reader: nothing to do, a change, a step that follows a change, a wait, a failure that
 * blocks dependants, or a note that blocks nothing.
 */
export type Standing = 'in sync' | 'change' | 'follow' | 'wait' | 'stop' | 'note';

export interface Description {
  readonly standing: Standing;
  /** The status of the Resource's condition; `reason` and `message` belong to the same condition. */
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  /** The message of the condition; empty if there is nothing to report. */
  readonly message: string;
  readonly changes?: readonly Change[];
  readonly blocks?: boolean;
  /** The latest time of the next check, in epoch milliseconds. */
  readonly until?: number | undefined;
}

/** Describes the outcome of a Resource in a pass, or the result of a check without a remedy. */
export function describe(outcome: Outcome | Checked): Description {
  const { summary } = outcome.resource;
  switch (outcome.state) {
    case 'InSync': {
      const { message = '', until, isLater } = outcome;
      return { standing: isLater ? 'follow' : 'in sync', status: 'True', reason: 'InSync', message, until };
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

/**
 * Returns the fields of an outcome for the JSON of status and plan. Releases may add fields and values, but never
 * change or remove them.
 */
export function outcomeJson(outcome: Outcome) {
  const { reason, message, changes, blocks, until } = describe(outcome);
  return { state: outcome.state, reason, message: message || undefined, changes, blocks, until };
}
