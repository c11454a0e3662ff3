import type { Host, HostReader } from './host.ts';
import type { Reason } from './reasons.ts';
import type { Severity } from './severity.ts';

/** The conditions of a node, by name. vocabulary.ts fills this table and defines the order. */
// biome-ignore lint/suspicious/noEmptyInterface: a type alias could not be added to
export interface Conditions {}

export type ConditionType = keyof Conditions;

/** One thing with a desired state: a file, a binary, a credential, a unit, a running service or a bootstrap. */
export interface Resource {
  /** `Kind/name`, unique in a plan. Dependants, logs and plans refer to the Resource by this id. */
  readonly id: string;
  /** The effect of the remedy, as an imperative: `write /etc/example.conf`. */
  readonly summary: string;
  readonly condition: ConditionType;
  /** True to leave the Resource out of its condition while it is in sync, blocked or waiting. */
  readonly isQuiet?: boolean;
  /** True if the Resource only maintains a node that is set up, so that the plan of a new node does not list it. */
  readonly isUpkeep?: boolean;
  /** The ids of the resources that must be settled first. */
  readonly needs?: readonly string[];
  /** The pacing of retries while time may end a failure; see backoff.ts. */
  readonly pacing?: Pacing;
  /** Checks the machine without writing. Throws a NodeError if the check is not possible. */
  check(host: HostReader): Promise<Finding>;
}

/**
 * The number of attempts after which the condition is False, and the milliseconds between them. Later attempts are ten
 * minutes apart.
 */
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
  /** The latest time of the next check, in epoch milliseconds. */
  readonly until?: number;
  /** The running version of the program that the Resource manages. */
  readonly version?: string;
  /** True if the Resource has work to do once another Resource stops waiting; a plan lists it as a later step. */
  readonly isLater?: boolean;
}

/**
 * The options of a waiting finding. By default, the finding blocks dependants, and time can end the wait. If only a
 * person can end the wait, the condition is False at once.
 */
export interface WaitingOptions extends Partial<Severity> {
  /** Milliseconds until the next check; five seconds by default. */
  readonly after?: number;
  /**
   * True while a job of the remedy runs. The job's own time limit replaces that of the wait, and an earlier failure of
   * the remedy is still reported.
   */
  readonly isJob?: boolean;
  /**
   * True for a wait that is normal however long it takes, such as the wait for a maintenance window. It is never
   * reported as a failure.
   */
  readonly isExpected?: boolean;
}

/**
 * The difference between the machine and the desired state, and the remedy for it. The difference is printable and
 * contains no secrets. A failing remedy blocks dependants unless `blocks` is false.
 */
export interface Drift extends Partial<Pick<Severity, 'blocks'>> {
  readonly changes: readonly Change[];
  /** The effect of this remedy, if it differs from the resource's summary. */
  readonly summary?: string;
  /** True for one step of several: dependants wait until the check finds the resource in sync. */
  readonly partial?: boolean;
  /**
   * True if the remedy is due only because time has passed. Repeating such a remedy is normal, and does not mean that
   * another process reverts the change.
   */
  readonly due?: boolean;
  readonly remedy: (host: Host) => Promise<void>;
}

/**
 * A difference in one field; `undefined` means that the value is absent. If the value may contain a secret, `observed`
 * and `desired` are digests.
 */
export interface Change {
  readonly field: string;
  readonly observed: string | undefined;
  readonly desired: string | undefined;
}

/** The outcome of a Resource in one pass. `until` and `lookAgainAt` are in epoch milliseconds. */
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

/** Returns an in-sync finding; omits an infinite `until`. */
export function inSync({ until, ...options }: InSyncOptions = {}): Finding {
  const ends = until !== undefined && Number.isFinite(until);
  return { state: 'InSync', ...options, ...(ends && { until }) };
}

/** Returns a waiting finding. The next check is due in five seconds by default. */
export function waiting(reason: Reason, message: string, options: WaitingOptions = {}): Finding {
  return { state: 'Waiting', reason, message, ...options };
}

/**
 * Returns a drift whose remedy is one step of several. `about` sets the effect of the step; with `due`, repeating the
 * step is normal.
 */
export function step(
  change: Change,
  remedy: Drift['remedy'],
  about: Pick<Drift, 'due' | 'summary'> = {},
): Finding {
  return { state: 'Drifted', drift: { changes: [change], partial: true, remedy, ...about } };
}

type Printable = string | number | boolean | undefined;

/**
 * Returns a drift that lists the fields in which `observed` differs from `desired`; an in-sync finding if no field
 * differs. `about` sets the summary and the severity of the drift.
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
