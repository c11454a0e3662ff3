import type { MakePlan, WrapHost } from './daemon.ts';
import { drawn, type FleetPlan } from './drawn.ts';
import { type FaultName, faults } from './faults.ts';
import { Fleet } from './fleet.ts';
import { isSettled, mustEnd, promises, wrongAtEnd } from './promises.ts';
import { Random } from './random.ts';
import { changeWish } from './wishes.ts';

const minute = 60_000;

// Nothing reads the stacks of the errors that nodes report, and each costs more than a pass.
Error.stackTraceLimit = 0;

/** The time after the last fault in which every node gets its wish or says why not: for the fleet, and per node. */
const patience = 20 * minute;
const patiencePerNode = 4 * minute;
/** The time after which a run ends in any case. */
const longest = 24 * 60 * minute;
/** How long a run goes on after the last fault, even if every node already has its wish. */
const calm = 2 * minute;
/** How long a run goes on after the last fault if the fleet needs a person. */
const stuckAfter = 8 * minute;

export interface LifeOptions {
  readonly seed: number;
  readonly servers: number;
  readonly agents: number;
  readonly makePlan: (fleet: Fleet) => MakePlan;
  readonly wrap?: WrapHost;
  /** The faults that happen; by default, the seed draws them. */
  readonly faults?: readonly FaultName[];
  /** Parts of the plan that the seed does not draw. */
  readonly plan?: Partial<FleetPlan>;
  /** Changes the fleet before it begins, such as to plant a fault. */
  readonly prepare?: (fleet: Fleet) => void;
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
  /** The last events. */
  readonly trace: readonly string[];
}

/** Lets a fleet live through the faults of its seed, until it has settled or its time is over. */
export async function live(options: LifeOptions): Promise<Verdict> {
  const random = new Random(options.seed);
  const plan = { ...drawn(random, options), ...options.plan };
  const fleet = new Fleet({ ...options, random, plan });
  const { timeline } = fleet;
  options.prepare?.(fleet);
  fleet.begin();
  for (const { wish, at } of plan.changes) {
    fleet.later(at, () => changeWish(fleet, wish));
  }
  for (const { name, at } of plan.faults) {
    fleet.later(at, () => {
      fleet.trace.note('fault', name);
      faults[name](fleet);
    });
  }
  const last = Math.max(...[...plan.changes, ...plan.faults].map(({ at }) => at));
  const broken = promises(fleet);
  let failure: string | undefined;
  await timeline.run(longest, () => {
    failure = broken();
    return failure !== undefined || (timeline.count % 50 === 0 && timeline.now > last && isOver(fleet));
  });
  failure ??= wrongAtEnd(fleet);
  return {
    ...(failure && { failure: told(options, fleet, failure) }),
    faults: plan.faults.map(({ name }) => name),
    lasted: timeline.now,
    events: timeline.count,
    passes: fleet.daemons.reduce((sum, each) => sum + each.passes, 0),
    turns: fleet.turns.turns.length,
    trace: fleet.trace.last(),
  };
}

/** True once the time is over, or every node has its wish, or the fleet says why not and needs a person. */
function isOver(fleet: Fleet): boolean {
  const isStuck =
    !mustEnd(fleet) && fleet.quietFor > stuckAfter && fleet.daemons.every(({ node }) => !node.turn);
  const isLate = fleet.quietFor > patience + fleet.daemons.length * patiencePerNode;
  return (
    isLate || (fleet.quietFor > calm && (isSettled(fleet) || (isStuck && wrongAtEnd(fleet) === undefined)))
  );
}

/** Returns the failure with the seed, so that the run can be repeated, and with the last events. */
function told({ seed, servers, agents }: LifeOptions, { plan, trace }: Fleet, failure: string): string {
  const happened = plan.faults.map(({ name }) => name).join('; ') || 'no faults';
  const title = `seed ${seed}, ${servers} + ${agents} nodes (${happened}): ${failure}`;
  return [title, JSON.stringify(plan.maintenance), ...trace.last()].join('\n');
}
