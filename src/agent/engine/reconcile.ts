import { type Held, isHeld, nextAttempt } from './backoff.ts';
import { type NodeError, Recorded, toNodeError } from './errors.ts';
import type { Host } from './host.ts';
import { isMet } from './is-met.ts';
import { Underway, underway } from './jobs.ts';
import { assertConverges, type Counted, countChanges } from './repeated-changes.ts';
import type { Drift, Finding, Outcome, Resource } from './resource.ts';

const lookAgain = 5_000;
/** How long a waiting resource still reports a failed check, in milliseconds after `notBefore`. */
const recently = 60_000;
/** The milliseconds of waiting after which the condition is False and the resource is checked less often. */
const patience = 5 * 60_000;
const rarely = 30_000;

/** The last attempt at a resource, with the failures and changes in a row. An attempt delays remedies, not checks. */
interface Attempt extends Held, Counted {
  /** The step that made this entry. A failed remedy delays the next remedy; a failed check does not. */
  readonly by: 'check' | 'remedy' | 'wait';
  readonly failures: number;
  readonly error?: NodeError;
  /** True if the failure is reported as Failed, no longer as Waiting. */
  readonly isFailed: boolean;
}

type Unsettled = Extract<Outcome, { readonly state: 'Waiting' | 'Failed' }>;

const fresh = { failures: 0, since: 0, notBefore: 0, isFailed: false };

/** The attempts that a process remembers between passes, by resource id. Losing them is harmless. */
export type Attempts = Map<string, Attempt>;

export interface ReconcileOptions {
  readonly host: Host;
  readonly attempts: Attempts;
  /**
   * The jitter of this pass in [0, 1), one for all resources, so that failures at the same time are retried together.
   */
  readonly random: number;
  readonly onOutcome?: (outcome: Outcome) => void;
}

/**
 * Runs one pass over a plan: checks each resource, and corrects it if it drifted. Never throws.
 *
 * INVARIANTS
 * - Each pass reads the machine again; only `attempts` is remembered.
 * - Resources run one at a time in the order of the plan; a resource with an unsettled need is not checked.
 * - A check cannot write. After a remedy, a check in the next pass decides whether the resource is in sync.
 * - A failed remedy does not run again before its time, but its check does, and so notices a repair from outside.
 * - A remedy that takes longer than a pass starts a job, which later checks find while the job runs.
 */
export async function reconcile(
  plan: readonly Resource[],
  options: ReconcileOptions,
): Promise<readonly Outcome[]> {
  const outcomes = new Map<string, Outcome>();
  for (const resource of plan) {
    const outcome = blockedOutcome(resource, outcomes) ?? (await checkResource(resource, options));
    outcomes.set(resource.id, outcome);
    options.onOutcome?.(outcome);
  }
  return [...outcomes.values()];
}

function blockedOutcome(resource: Resource, outcomes: ReadonlyMap<string, Outcome>): Outcome | undefined {
  const need = resource.needs?.find((id) => !isMet(outcomes.get(id)));
  if (need === undefined) {
    return undefined;
  }
  const cause = outcomes.get(need);
  return { resource, state: 'Blocked', by: cause?.state === 'Blocked' ? cause.by : need };
}

async function checkResource(resource: Resource, options: ReconcileOptions): Promise<Outcome> {
  const { host, attempts } = options;
  try {
    const finding = await resource.check(host);
    switch (finding.state) {
      case 'InSync':
        attempts.delete(resource.id);
        return { resource, ...finding };
      case 'Waiting':
        return waitingOutcome(resource, finding, options);
      case 'Drifted':
        return await runRemedy(resource, finding.drift, options);
    }
  } catch (thrown) {
    if (thrown instanceof Recorded) {
      return { resource, state: 'Recorded', changes: [] };
    }
    return failedOutcome(resource, toNodeError(thrown), 'check', options);
  }
}

/**
 * Returns the outcome of a waiting finding. A resource that alternates between failing and starting, such as a service
 * that crashes or a download that breaks off, keeps reporting its last failure while it waits. After five minutes of
 * waiting, the resource is checked less often, and the condition is False unless the wait is expected. A job has its
 * own time limit instead.
 */
function waitingOutcome(
  resource: Resource,
  finding: Extract<Finding, { state: 'Waiting' }>,
  { host, attempts }: ReconcileOptions,
): Outcome {
  const now = host.now();
  const { reason, message, after = lookAgain, blocks = true, endedBy = 'time' } = finding;
  const { isJob = false, isExpected = false } = finding;
  const last = attempts.get(resource.id);
  if (last?.error && (isJob ? last.by === 'remedy' : last.by === 'check' && isHeld(last, now, recently))) {
    return { ...unsettledOutcome(resource, last.error, last, blocks), lookAgainAt: now + after };
  }
  const since = last?.by === 'wait' && last.since <= now ? last.since : now;
  const { changes = 0, fields } = last ?? {};
  attempts.set(resource.id, { ...fresh, by: 'wait', changes, fields, since });
  const isLong = !isJob && now - since >= patience;
  const isOver = isLong && !isExpected;
  const state = endedBy === 'person' || isOver ? 'Failed' : 'Waiting';
  const lookAgainAt = now + (isLong ? Math.max(after, rarely) : after);
  return { resource, state, reason, message, lookAgainAt, blocks };
}

async function runRemedy(resource: Resource, drift: Drift, options: ReconcileOptions): Promise<Outcome> {
  const { host, attempts } = options;
  const { blocks = true } = drift;
  const last = attempts.get(resource.id);
  if (last?.error && last.by === 'remedy' && isHeld(last, host.now())) {
    return unsettledOutcome(resource, last.error, last, blocks);
  }
  const counted = countChanges(drift, last, host.now());
  try {
    assertConverges(drift, counted);
    await drift.remedy(host);
    attempts.set(resource.id, { ...fresh, by: 'remedy', ...counted, since: host.now() });
    const { summary: did = resource.summary, partial = false } = drift;
    return { resource, state: 'Changed', did, changes: drift.changes, partial };
  } catch (thrown) {
    if (thrown instanceof Recorded) {
      return { resource, state: 'Recorded', changes: drift.changes };
    }
    if (thrown instanceof Underway) {
      return waitingOutcome(resource, underway(thrown.job, blocks), options);
    }
    return failedOutcome(resource, toNodeError(thrown), 'remedy', options, blocks);
  }
}

function failedOutcome(
  resource: Resource,
  error: NodeError,
  by: Attempt['by'],
  { host, attempts, random }: ReconcileOptions,
  blocks = true,
): Outcome {
  const now = host.now();
  const last = attempts.get(resource.id);
  if (last?.error && isHeld(last, now)) {
    return unsettledOutcome(resource, error, last, blocks);
  }
  const failures = (last?.failures ?? 0) + 1;
  const { after, isFailed } = nextAttempt(failures, error, resource.pacing, random);
  const next = { by, failures, changes: 0, since: now, notBefore: now + after, error, isFailed };
  attempts.set(resource.id, next);
  return unsettledOutcome(resource, error, next, blocks);
}

function unsettledOutcome(
  resource: Resource,
  error: NodeError,
  attempt: Attempt,
  blocks: boolean,
): Unsettled {
  const { reason, message } = error;
  const state = attempt.isFailed || error.endedBy === 'person' ? 'Failed' : 'Waiting';
  const allowed = resource.pacing?.attempts;
  const tries = state === 'Waiting' && allowed ? ` (attempt ${attempt.failures} of ${allowed})` : '';
  return {
    resource,
    state,
    reason,
    message: message + tries,
    lookAgainAt: attempt.notBefore,
    blocks: blocks && error.blocks,
  };
}
