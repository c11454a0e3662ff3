/** `slipway plan`: a dry run, printed as text or JSON. */

import type { NodeError } from '../agent/engine/errors.ts';
import type { Event } from '../agent/engine/events.ts';
import type { Host } from '../agent/engine/host.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { complain, print } from '../agent/host/process/print.ts';
import { recordingHost } from '../agent/host/recording/recording-host.ts';
import { faultIn } from '../agent/knowledge.ts';
import { joinedCluster } from '../agent/parts/k3s/index.ts';
import { changedSettings } from '../agent/report/changed-settings.ts';
import { planJson } from '../agent/report/plan-json.ts';
import { onlyIn, type PlannedStep, planText, planVerdict, withoutUpkeep } from '../agent/report/plan-text.ts';
import type { Loaded } from '../agent/settings/load.ts';
import { invalidSettings } from '../agent/settings/problems.ts';
import type { PlanOptions } from './cli.ts';
import type { CommonOptions } from './cli-common.ts';
import { compose } from './compose.ts';

/**
 * Prints what would change; with `against`, only what that configuration file would change. Resolves to 0 for no
 * change, 2 for changes, 1 for an error in the plan. Throws `InvalidSettings` if the file does not exist, and the error
 * of `faultIn`.
 */
export async function showPlan(options: PlanOptions): Promise<number> {
  const now = await dryRun(options);
  const { against } = options;
  const { fault, warnings, steps, settings } =
    against === undefined ? { ...now, settings: undefined } : await planDifference(now, options, against);
  if (fault) {
    throw fault;
  }
  for (const warning of warnings) {
    complain(`warning: ${printableLine(warning)}\n`);
  }
  print(options.output === 'json' ? planJson(steps, settings) : planText(steps, settings));
  return { nothing: 0, changes: 2, errors: 1 }[planVerdict(steps)];
}

async function planDifference(now: DryRun, options: PlanOptions, against: string) {
  if ((await nodeHost().stat(against)) === undefined) {
    throw invalidSettings([`${against}: does not exist; check the path after --against`]);
  }
  const then = await dryRun({ ...options, config: against });
  const settings = changedSettings(now.loaded, then.loaded);
  return { ...then, steps: onlyIn(then.steps, now.steps), settings };
}

interface DryRun {
  readonly steps: readonly PlannedStep[];
  readonly warnings: readonly string[];
  /** The error of `faultIn`, which prevents a plan. */
  readonly fault: NodeError | undefined;
  /** The settings of the dry run; `undefined` if the settings cannot be used. */
  readonly loaded: Loaded | undefined;
}

async function dryRun(options: CommonOptions): Promise<DryRun> {
  const steps: PlannedStep[] = [];
  const warnings: string[] = [];
  let recording: ReturnType<typeof recordingHost> | undefined;
  let seen = 0;
  const wrap = (host: Host) => {
    recording = recordingHost(host);
    seen = 0;
    return recording;
  };
  const emit = (event: Event) => {
    if (event.type === 'Warned') {
      warnings.push(event.message);
    }
    if (event.type !== 'Settled') {
      return;
    }
    const actions = recording?.journal.slice(seen) ?? [];
    seen += actions.length;
    steps.push({ outcome: event.outcome, actions });
  };
  const { agent } = await compose(options, { emit, wrap });
  const { knowledge } = await agent.pass();
  const loaded = knowledge.tagged.value?.loaded ?? knowledge.files.value;
  const node = knowledge.node.value;
  const isSetUp = node !== undefined && (await joinedCluster(nodeHost({ root: options.root }), node));
  return { steps: isSetUp ? steps : withoutUpkeep(steps), warnings, fault: faultIn(knowledge), loaded };
}
