import type { MakePlan, WrapHost } from './daemon.ts';
import { drawn } from './drawn.ts';
import { type FaultName, faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { broken, isSettled, wrongAtEnd } from './promises.ts';
import { Random } from './random.ts';

const minute = 60_000;

/** The time in which faults happen and end. */
const faultsFor = 40 * minute;
/** The time after it in which every node gets what it wants or says why not: for the fleet, and for each node. */
const patience = 20 * minute;
const patiencePerNode = 4 * minute;
/** The time after the last fault for which a fleet must stay as it is wished. */
const calm = 2 * minute;

export interface LifeOptions {
  readonly seed: number;
  readonly servers: number;
  readonly agents: number;
  readonly makePlan: (fleet: Fleet) => MakePlan;
  readonly wrap?: WrapHost;
  /** The faults that happen; by default, the seed draws them. */
  readonly faults?: readonly FaultName[];
}

/** How a run ended. `failure` is absent if the fleet kept its promises. */
export interface Verdict {
  readonly failure?: string;
  readonly faults: readonly FaultName[];
  /** The simulated milliseconds, the events, the passes and the turns of the run. */
  readonly lasted: number;
  readonly events: number;
  readonly passes: number;
  readonly turns: number;
}

/** Lets a fleet live through the faults of its seed, until it has settled or its time is over. */
export async function live(options: LifeOptions): Promise<Verdict> {
  const random = new Random(options.seed);
  const plan = drawn(random, options.faults);
  const fleet = new Fleet({ ...options, random, plan });
  const { timeline } = fleet;
  fleet.begin();
  for (const at of plan.changes) {
    fleet.later(at, () => fleet.change());
  }
  for (const { name, at } of plan.faults) {
    fleet.later(at, () => {
      fleet.trace.note('fault', name);
      faults[name](fleet);
    });
  }
  const last = Math.max(...plan.changes, ...plan.faults.map(({ at }) => at));
  let failure: string | undefined;
  await timeline.run(faultsFor + patience + fleet.daemons.length * patiencePerNode, () => {
    failure = broken(fleet);
    return failure !== undefined || (timeline.now > last && fleet.quietFor > calm && isSettled(fleet));
  });
  failure ??= wrongAtEnd(fleet);
  return {
    ...(failure && { failure: told(options, fleet, failure) }),
    faults: plan.faults.map(({ name }) => name),
    lasted: timeline.now,
    events: timeline.count,
    passes: fleet.daemons.reduce((sum, each) => sum + each.passes, 0),
    turns: fleet.turns.turns.length,
  };
}

/** Returns the failure with the seed, so that the run can be repeated, and with the last events. */
function told({ seed, servers, agents }: LifeOptions, { plan, trace }: Fleet, failure: string): string {
  const happened = plan.faults.map(({ name }) => name).join('; ') || 'no faults';
  const title = `seed ${seed}, ${servers} + ${agents} nodes (${happened}): ${failure}`;
  return [title, JSON.stringify(plan.maintenance), ...trace.last()].join('\n');
}
