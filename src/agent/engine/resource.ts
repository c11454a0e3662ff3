import type { Host, HostReader } from './host.ts';
import type { Reason } from './reasons.ts';
import type { Severity } from './severity.ts';

/** The conditions of a node, by name. vocabulary.ts fills the table, and has their order. */
// biome-ignore lint/suspicious/noEmptyInterface: a type alias could not be added to
export interface Conditions {}

export type ConditionType = keyof Conditions;

/** One thing with a desired state: a file, a binary, a credential, a unit, a running service, a bootstrap. */
export interface Resource {
  /** `Kind/name`, unique in a plan: the name for dependants, logs and plans. */
  readonly id: string;
  /** The effect of its remedy, as an imperative: `write /etc/example.conf`. */
  readonly summary: string;
  readonly condition: ConditionType;
  /** Ids of what must be in place first. */
  readonly needs?: readonly string[];
  /** How often a failure that time may end is repeated before the condition is False; see backoff.ts. */
  readonly pacing?: Pacing;
  /** Checks the machine, and cannot write; throws a NodeError if it cannot even check. */
  check(host: HostReader): Promise<Finding>;
}

/** The attempts before the condition is False, `interval` milliseconds apart; then it is tried every ten minutes. */
export interface Pacing {
  readonly attempts: number;
  readonly every: number;
}

/** The result of a check. */
export type Finding =
  | ({ readonly state: 'InSync' } & InSyncOptions)
  | { readonly state: 'Drifted'; readonly drift: Drift }
  | ({ readonly state: 'Waiting'; readonly reason: Reason; readonly message: string } & WaitingOptions);

export interface InSyncOptions {
  readonly message?: string;
  /** When to check again at the latest; epoch milliseconds. */
  readonly until?: number;
  /** The version of the program this is about, as it runs. */
  readonly version?: string;
}

/** By default, dependants wait as well, and time ends it; if only a person ends it, its condition is False at once. */
export interface WaitingOptions extends Partial<Severity> {
  /** When to check again, in milliseconds. */
  readonly after?: number;
  /** True while a job of the remedy runs. The job has its own time limit, and earlier failures still count. */
  readonly isJob?: boolean;
}

/**
 * How the machine differs from the desired state, printable and without secrets, and the remedy. A failing remedy
 * blocks dependants unless `blocks` is false.
 */
export interface Drift extends Partial<Pick<Severity, 'blocks'>> {
  readonly changes: readonly Change[];
  /** What this remedy does, if it differs from the resource's summary. */
  readonly summary?: string;
  /** True for one step of several: dependants wait until the check finds the whole in sync. */
  readonly partial?: boolean;
  /** True if only time has passed: repeating it is normal, and does not mean that another process writes there. */
  readonly due?: boolean;
  readonly remedy: (host: Host) => Promise<void>;
}

/** One difference; `undefined` is absence. Values are digests if the text may hold a secret. */
export interface Change {
  readonly field: string;
  readonly observed: string | undefined;
  readonly desired: string | undefined;
}

/** The outcome of a Resource in one pass. `until` and `lookAgainAt` are epoch milliseconds. */
export type Outcome = { readonly resource: Resource } & (
  | ({ readonly state: 'InSync' } & InSyncOptions)
  | {
      readonly state: 'Changed';
      readonly did: string;
      readonly changes: readonly Change[];
      readonly partial?: boolean;
    }
  | { readonly state: 'Recorded'; readonly changes: readonly Change[] }
  | ({
      readonly state: 'Waiting' | 'Failed';
      readonly reason: Reason;
      readonly message: string;
      readonly lookAgainAt: number;
    } & Pick<Severity, 'blocks'>)
  | { readonly state: 'Blocked'; readonly by: string }
);

/** Returns an in-sync finding. An infinite `until` is left out. */
export function inSync({ until, ...options }: InSyncOptions = {}): Finding {
  const ends = until !== undefined && Number.isFinite(until);
  return { state: 'InSync', ...options, ...(ends && { until }) };
}

/** Returns a finding that waits for the next check, by default in five seconds. */
export function waiting(reason: Reason, message: string, options: WaitingOptions = {}): Finding {
  return { state: 'Waiting', reason, message, ...options };
}

/** Returns a drift that one step of several corrects. */
export function step(change: Change, remedy: Drift['remedy']): Finding {
  return { state: 'Drifted', drift: { changes: [change], partial: true, remedy } };
}

type Printable = string | number | boolean | undefined;

/**
 * Returns a drift if any field of `desired` differs from `observed`, else in sync; `about` holds the other properties
 * of the Drift.
 */
export function compare<Fields extends Readonly<Record<string, Printable>>>(
  observed: { readonly [Field in keyof Fields]: Printable },
  desired: Fields,
  remedy: (host: Host) => Promise<void>,
  about: Pick<Drift, 'summary' | 'blocks'> = {},
): Finding {
  const changes = Object.keys(desired)
    .filter((field) => observed[field] !== desired[field])
    .map((field) => ({ field, observed: printed(observed[field]), desired: printed(desired[field]) }));
  return changes.length === 0 ? inSync() : { state: 'Drifted', drift: { changes, ...about, remedy } };
}

function printed(value: Printable): string | undefined {
  return value === undefined ? undefined : String(value);
}
