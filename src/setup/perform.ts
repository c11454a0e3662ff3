import { describe } from '../agent/engine/describe.ts';
import type { Host, HostReader } from '../agent/engine/host.ts';
import { reconcile } from '../agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../agent/engine/resource.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { recordingHost } from '../agent/host/recording/recording-host.ts';
import { type PlannedStep, planText } from '../agent/report/plan-text.ts';

/** The output for an operator: `out` prints what was done, and `error` what failed. */
export interface Tell {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

/**
 * The maximum number of passes. No resource needs more than three: after six, another process must be writing the same
 * files.
 */
const passes = 6;

/**
 * Applies these resources until a pass changes nothing, at most six times, and prints each different change once. A
 * failure blocks only its dependants, and is reported at the end. Resolves to false if anything was left undone.
 */
export async function perform(resources: readonly Resource[], host: Host, tell: Tell): Promise<boolean> {
  outliveOutput();
  const told = new Set<string>();
  const onOutcome = (outcome: Outcome) => {
    if (outcome.state !== 'Changed' || told.has(outcome.did)) {
      return;
    }
    told.add(outcome.did);
    tell.out(outcome.did);
  };
  const options = { host, attempts: new Map(), random: 0, onOutcome };
  let outcomes = await reconcile(resources, options);
  for (let pass = 2; pass <= passes && outcomes.some(hasChanged); pass += 1) {
    outcomes = await reconcile(resources, options);
  }
  const troubles = outcomes.flatMap(troubleLines);
  for (const line of troubles) {
    tell.error(line);
  }
  return troubles.length === 0;
}

function hasChanged({ state }: Outcome): boolean {
  return state === 'Changed';
}

function troubleLines(outcome: Outcome): readonly string[] {
  const { standing, reason, message } = describe(outcome);
  const what = `not done: ${outcome.resource.summary}`;
  switch (standing) {
    case 'in sync':
      return [];
    case 'change':
      return [`${what}: it was changed again and again and did not hold, so something else writes there`];
    case 'follow':
      return [`${what}: ${message}`];
    case 'wait':
    case 'stop':
    case 'note':
      return [`${what}: ${reason}: ${message}`];
  }
}

/**
 * Returns a plan of what `perform` would do, as text, and changes nothing. Omits the resources that are in sync, and
 * the dependencies on them.
 */
export async function rehearse(resources: readonly Resource[], host: Host): Promise<string> {
  const recording = recordingHost(host);
  const steps: PlannedStep[] = [];
  let seen = 0;
  const onOutcome = (outcome: Outcome) => {
    steps.push({ outcome, actions: recording.journal.slice(seen) });
    seen = recording.journal.length;
  };
  const due = await stillDue(resources, host);
  await reconcile(due, { host: recording, attempts: new Map(), random: 0, onOutcome });
  return planText(steps);
}

async function stillDue(resources: readonly Resource[], host: HostReader): Promise<readonly Resource[]> {
  const findings = await Promise.allSettled(resources.map((resource) => resource.check(host)));
  const due = resources.filter((_, at) => {
    const finding = findings[at];
    return finding?.status !== 'fulfilled' || finding.value.state !== 'InSync';
  });
  const ids = due.map(({ id }) => id);
  return due.map((each) => ({ ...each, needs: (each.needs ?? []).filter((id) => ids.includes(id)) }));
}
