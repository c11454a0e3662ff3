import { type Description, describe } from './describe.ts';
import type { Reason } from './reasons.ts';
import type { ConditionType, Outcome } from './resource.ts';

/** A condition in the form of KEP-1623: `lastTransitionTime` changes only with `status`. */
export interface Condition {
  readonly type: ConditionType | 'Ready';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
  readonly lastTransitionTime: string;
}

type Verdict = Pick<Description, 'status' | 'reason' | 'message'>;

/**
 * The conditions that a node can have, in order, and the condition whose message `Ready` quotes while the node is in
 * sync.
 */
export interface ConditionOrder {
  readonly types: readonly ConditionType[];
  readonly quoted: ConditionType;
}

/** Returns the conditions of a pass, `Ready` first. Each condition has the state of its worst resource. */
export function conditionsOf(
  outcomes: readonly Outcome[],
  previous: readonly Condition[],
  now: number,
  { types, quoted }: ConditionOrder,
): readonly Condition[] {
  const dated = (type: Condition['type'], { status, reason, message }: Verdict): Condition => {
    const before = previous.find((condition) => condition.type === type);
    const since = before?.status === status ? before.lastTransitionTime : new Date(now).toISOString();
    return { type, status, reason, message: oneLine(message), lastTransitionTime: since };
  };
  const told = outcomes.filter((outcome) => !isUntold(outcome));
  const present = types.filter((type) => told.some((outcome) => outcome.resource.condition === type));
  return [
    dated('Ready', readyVerdict(outcomes, quoted)),
    ...present.map((type) =>
      dated(type, worstVerdict(told.filter((outcome) => outcome.resource.condition === type))),
    ),
  ];
}

/** True for a quiet Resource that has nothing to report, because it is in sync, blocked or waiting. */
function isUntold({ resource, state }: Outcome): boolean {
  return resource.isQuiet === true && ['InSync', 'Blocked', 'Waiting'].includes(state);
}

/**
 * True for a condition whose resource was changed in this pass. Such a condition gets no log line and no event until
 * the next pass has verified the change.
 */
export function isUnverified({ reason }: Pick<Condition, 'reason'>): boolean {
  return reason === 'Changed';
}

/**
 * Returns a message as one line without control characters, because messages quote other programs and appear on
 * terminals.
 */
export function oneLine(message: string): string {
  return message
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/\p{Cc}+/gu, ' ');
}

/**
 * Returns the verdict for Ready, which is True while nothing blocks the node. A True Ready reports the first failure
 * that does not block, if there is one.
 */
function readyVerdict(outcomes: readonly Outcome[], quoted: ConditionType): Verdict {
  const isNote = (outcome: Outcome) => describe(outcome).standing === 'note';
  const blocking = outcomes.filter((outcome) => !isNote(outcome));
  const verdict = worstVerdict(blocking);
  const degraded = outcomes.find((outcome) => outcome.state === 'Failed' && isNote(outcome));
  const telling = outcomes.filter(({ resource }) => resource.condition === quoted);
  if (verdict.reason === 'InSync' && !degraded) {
    return worstVerdict(telling.length > 0 ? telling : blocking);
  }
  return verdict.status === 'True' && degraded ? { ...describe(degraded), status: 'True' } : verdict;
}

const order = { Failed: 0, Waiting: 1, Blocked: 2, Recorded: 3, Changed: 4, InSync: 5 } as const;

/**
 * Returns the verdict of the first outcome in the worst state. If all are in sync, returns the verdict of the last
 * outcome with a message. Returns the status `Unknown` without outcomes.
 */
function worstVerdict(outcomes: readonly Outcome[]): Verdict {
  const [first] = [...outcomes].sort((a, b) => order[a.state] - order[b.state]);
  if (!first) {
    return { status: 'Unknown', reason: 'Blocked', message: '' };
  }
  const telling = outcomes.findLast((outcome) => outcome.state === 'InSync' && outcome.message);
  return describe(first.state === 'InSync' ? (telling ?? first) : first);
}
