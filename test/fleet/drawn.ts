import { type FaultName, faults } from './faults.ts';
import type { CertificatePlan } from './leaves.ts';
import type { Random } from './random.ts';
import type { Workload } from './workloads.ts';

/** What a fleet is like and what happens to it. */
export interface FleetPlan {
  readonly maintenance: MaintenanceWish;
  readonly certificates: CertificatePlan;
  /** True if the nodes compare their join token with the vault. */
  readonly hasTokens: boolean;
  /** When the last agent boots for the first time and joins; absent if it has joined before. */
  readonly joinsAt?: number;
  readonly workloads: readonly Workload[];
  /** The faults and the changes of the wish, and when they happen; milliseconds. */
  readonly faults: readonly { readonly name: FaultName; readonly at: number }[];
  readonly changes: readonly { readonly wish: WishKind; readonly at: number }[];
}

/**
 * What all nodes shall get: another configuration, another release, one that does not come up; or new certificates,
 * because months have passed.
 */
export type WishKind =
  | ('a configuration' | 'a release' | 'a bad release' | 'certificates')
  | ('a token' | 'a token without consent' | 'a reboot');

/** The settings of maintenance that a fleet has. */
export interface MaintenanceWish {
  readonly concurrency: number | `${number}%`;
  readonly drain: {
    readonly restart: boolean;
    readonly upgrade: boolean;
    readonly timeout: string;
    readonly onTimeout: 'giveUp' | 'proceed' | 'force';
  };
}

const second = 1_000;

/** Draws what a fleet is like. With `faults`, exactly these happen. Only a single server rotates its token. */
export function drawn(
  random: Random,
  {
    servers,
    faults: names,
  }: { readonly servers: number; readonly faults?: readonly FaultName[] | undefined },
): FleetPlan {
  const all = Object.keys(faults).filter((name): name is FaultName => name in faults);
  const some = names ?? Array.from({ length: random.between(0, 4) }, () => random.pick(all));
  const again = random.chance(0.4) ? [{ wish: aWish(random), at: random.between(90, 420) * second }] : [];
  const hasTokens = random.chance(0.25) && servers === 1;
  const token = random.chance(0.2) ? 'a token without consent' : 'a token';
  const first = hasTokens ? token : aWish(random);
  const at = random.between(40, 70) * second;
  const joinsAt = hasTokens && random.chance(0.5) ? { joinsAt: at + random.between(-20, 150) * second } : {};
  return {
    hasTokens,
    ...joinsAt,
    maintenance: {
      concurrency: random.pick([1, 2, '10%', '50%'] as const),
      drain: {
        restart: random.chance(0.5),
        upgrade: random.chance(0.5),
        timeout: random.pick(['1m', '3m', '10m']),
        onTimeout: random.pick(['giveUp', 'proceed', 'force'] as const),
      },
    },
    certificates: { days: random.pick([365, 365, 120, 30]), isOneStuck: random.chance(0.1) },
    workloads: [
      { app: 'web', replicas: 3, minAvailable: 2 },
      { app: 'queue', replicas: 2, minAvailable: 1 },
      { app: 'store', replicas: 1, minAvailable: random.chance(0.2) ? 1 : 0 },
    ],
    faults: some.map((name) => ({ name, at: random.between(35, 420) * second })),
    changes: [{ wish: first, at }, ...again],
  };
}

/** Returns how many of these agents may be interrupted at once, as the page on maintenance says. */
export function mostAtOnce({ concurrency }: MaintenanceWish, agents: number): number {
  return typeof concurrency === 'number'
    ? concurrency
    : Math.max(1, Math.floor((agents * Number.parseInt(concurrency, 10)) / 100));
}

/**
 * True if a node may report why it does not get its wish: a drain may be given up, because a budget never lets a pod
 * go, or a clock that jumps may make its certificates invalid.
 */
export function mayGiveUp(plan: FleetPlan): boolean {
  return mayKeepPods(plan) || mayMisdate(plan);
}

/** True if certificates are renewed by a clock that is wrong by hours. */
export function mayMisdate({ changes, faults }: FleetPlan): boolean {
  return (
    changes.some(({ wish }) => wish === 'certificates') && faults.some(({ name }) => name === 'a clock jumps')
  );
}

function mayKeepPods({ maintenance: { drain }, workloads, changes }: FleetPlan): boolean {
  const isHard = workloads.some(({ replicas, minAvailable }) => minAvailable >= replicas);
  const drainsReboot = changes.some(({ wish }) => wish === 'a reboot');
  return isHard && (drain.restart || drain.upgrade || drainsReboot) && drain.onTimeout === 'giveUp';
}

function aWish(random: Random): WishKind {
  return random.pick([
    ...(['a configuration', 'a configuration', 'a release'] as const),
    ...(['a bad release', 'certificates', 'certificates', 'a reboot'] as const),
  ]);
}
