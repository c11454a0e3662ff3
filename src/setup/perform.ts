import { describe } from '../agent/engine/describe.ts';
import type { Host, HostReader } from '../agent/engine/host.ts';
import { reconcile } from '../agent/engine/reconcile.ts';
import type { Outcome, Resource } from '../agent/engine/resource.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { recordingHost } from '../agent/host/recording/recording-host.ts';
import { type PlannedStep, planText } from '../agent/report/plan-text.ts';

/** Where a person reads: what is done, and what went wrong. */
export interface Tell {
  readonly out: (line: string) => void;
  readonly error: (line: string) => void;
}

/** Passes after which what still changes is a fight; the most steps that a resource has are three. */
const passes = 6;

/**
 * Does what is to be done of these, until a pass changes nothing, and tells each in a line. What fails keeps nothing
 * from being tried but what needs it; all of it is told at the end. False where anything was left undone.
 */
export async function perform(resources: readonly Resource[], host: Host, tell: Tell): Promise<boolean> {
  outliveOutput();
  const told = new Set<string>();
  const onOutcome = (outcome: Outcome) => {
    if (outcome.state !== 'Changed' || told.has(outcome.did)) return;
    told.add(outcome.did);
    tell.out(outcome.did);
  };
  const options = { host, attempts: new Map(), random: 0, onOutcome };
  let outcomes = await reconcile(resources, options);
  for (let pass = 2; pass <= passes && outcomes.some(hasChanged); pass += 1) {
    outcomes = await reconcile(resources, options);
  }
  const troubles = outcomes.flatMap(troubleLines);
  for (const line of troubles) tell.error(line);
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

/** What `perform` would do, and does not. What is as it should be now is left out, and keeps nobody waiting. */
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
