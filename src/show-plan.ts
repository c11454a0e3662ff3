/** `slipway plan`: a dry run, for people and for programs. */
import type { PlanOptions } from './agent/cli.ts';
import type { CommonOptions } from './agent/cli-common.ts';
import type { Loaded } from './agent/config/load.ts';
import type { Event } from './agent/core/events.ts';
import type { Host } from './agent/core/host.ts';
import { recordingHost } from './agent/host/recording-host.ts';
import { changedSettings, onlyIn } from './agent/plan-difference.ts';
import { planJson } from './agent/plan-json.ts';
import { type PlannedStep, planText, planVerdict } from './agent/plan-text.ts';
import { compose } from './compose.ts';

/** Prints what would change, now or under another configuration: 0 for nothing, 2 for something, 1 for an error. */
export async function showPlan(options: PlanOptions): Promise<number> {
  const now = await dryRun(options);
  const { steps, settings } =
    options.against === undefined ? { ...now, settings: undefined } : await difference(now, options);
  process.stdout.write(options.output === 'json' ? planJson(steps, settings) : planText(steps, settings));
  return { nothing: 0, changes: 2, errors: 1 }[planVerdict(steps)];
}

async function difference(now: DryRun, options: PlanOptions) {
  const then = await dryRun({ ...options, config: options.against });
  return { steps: onlyIn(then.steps, now.steps), settings: changedSettings(now.loaded, then.loaded) };
}

interface DryRun {
  readonly steps: readonly PlannedStep[];
  /** Absent where the settings cannot be used, which the steps tell. */
  readonly loaded: Loaded | undefined;
}

async function dryRun(options: CommonOptions): Promise<DryRun> {
  const steps: PlannedStep[] = [];
  let recording: ReturnType<typeof recordingHost> | undefined;
  let seen = 0;
  const wrap = (host: Host) => {
    recording = recordingHost(host);
    seen = 0;
    return recording;
  };
  const emit = (event: Event) => {
    if (event.type === 'Warned') process.stderr.write(`warning: ${event.message}\n`);
    if (event.type !== 'Settled') return;
    const actions = recording?.journal.slice(seen) ?? [];
    seen += actions.length;
    steps.push({ outcome: event.outcome, actions });
  };
  const { agent } = await compose(options, { emit, wrap });
  const { knowledge } = await agent.pass();
  return { steps, loaded: knowledge.tagged.value?.loaded ?? knowledge.files.value };
}
