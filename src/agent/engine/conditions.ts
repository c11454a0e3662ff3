import { type Description, describe } from './describe.ts';
import type { Reason } from './reasons.ts';
import type { ConditionType, Outcome } from './resource.ts';

/** In the form of KEP-1623: `lastTransitionTime` moves with `status` only. */
export interface Condition {
  readonly type: ConditionType | 'Ready';
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: Reason;
  readonly message: string;
  readonly lastTransitionTime: string;
}

type Verdict = Pick<Description, 'status' | 'reason' | 'message'>;

/** Which conditions a node can have, in their order, and the one that `Ready` quotes while all of them are True. */
export interface ConditionOrder {
  readonly types: readonly ConditionType[];
  readonly quoted: ConditionType;
}

/** The conditions that a pass's outcomes amount to, each as bad as the worst of its resources; `Ready` comes first. */
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
  const present = types.filter((type) => outcomes.some((outcome) => outcome.resource.condition === type));
  return [
    dated('Ready', readyVerdict(outcomes, quoted)),
    ...present.map((type) =>
      dated(type, worstVerdict(outcomes.filter((outcome) => outcome.resource.condition === type))),
    ),
  ];
}

/** Whether something was changed, which the next pass verifies: until then it is no news. */
export function isUnverified({ reason }: Pick<Condition, 'reason'>): boolean {
  return reason === 'Changed';
}

/** One line without control characters: what others answered ends on terminals, too. */
export function oneLine(message: string): string {
  return message
    .trim()
    .replace(/\s*\n\s*/g, ' | ')
    .replace(/\p{Cc}+/gu, ' ');
}

/** True while nothing blocks the node: what is degraded but works is told, and does not take Ready away. */
function readyVerdict(outcomes: readonly Outcome[], quoted: ConditionType): Verdict {
  const isNote = (outcome: Outcome) => describe(outcome).standing === 'note';
  const blocking = outcomes.filter((outcome) => !isNote(outcome));
  const verdict = worstVerdict(blocking);
  const degraded = outcomes.find((outcome) => outcome.state === 'Failed' && isNote(outcome));
  const telling = outcomes.filter(({ resource }) => resource.condition === quoted);
  if (verdict.reason === 'InSync' && !degraded) return worstVerdict(telling.length > 0 ? telling : blocking);
  return verdict.status === 'True' && degraded ? { ...describe(degraded), status: 'True' } : verdict;
}

const order = { Failed: 0, Waiting: 1, Blocked: 2, Recorded: 3, Changed: 4, InSync: 5 } as const;

/** Of resources that are equally bad the first tells; where all is well, the last that has something to tell. */
function worstVerdict(outcomes: readonly Outcome[]): Verdict {
  const [first] = [...outcomes].sort((a, b) => order[a.state] - order[b.state]);
  if (!first) return { status: 'Unknown', reason: 'Blocked', message: '' };
  const telling = outcomes.findLast((outcome) => outcome.state === 'InSync' && outcome.message);
  return describe(first.state === 'InSync' ? (telling ?? first) : first);
}
