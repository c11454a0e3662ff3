import type { Host, HostReader } from './host.ts';
import type { Reason } from './reasons.ts';
import type { Severity } from './severity.ts';

/** The conditions that the Resources of a node amount to, by name. vocabulary.ts fills it, and has their order. */
// biome-ignore lint/suspicious/noEmptyInterface: a type alias could not be added to
export interface Conditions {}

export type ConditionType = keyof Conditions;

/** One thing with a desired state: a file, a binary, a credential, a unit, a running service, a bootstrap. */
export interface Resource {
  /** `Kind/name`, unique in a plan: what dependants, logs and plans call it. */
  readonly id: string;
  /** What its remedy does, as an imperative: `write /etc/example.conf`. */
  readonly summary: string;
  readonly condition: ConditionType;
  /** Ids of what must be in place first. */
  readonly needs?: readonly string[];
  /** How often a failure that time may end is repeated before the condition is False; see backoff.ts. */
  readonly pacing?: Pacing;
  /** Looks, and cannot write; throws a NodeError where it cannot even look. */
  check(host: HostReader): Promise<Finding>;
}

/** So many attempts so many milliseconds apart; then the condition is False, and it is tried every ten minutes. */
export interface Pacing {
  readonly attempts: number;
  readonly every: number;
}

/** What a check found. */
export type Finding =
  | ({ readonly state: 'InSync' } & InSyncOptions)
  | { readonly state: 'Drifted'; readonly drift: Drift }
  | ({ readonly state: 'Waiting'; readonly reason: Reason; readonly message: string } & WaitingOptions);

export interface InSyncOptions {
  readonly message?: string;
  /** When to look again at the latest; epoch milliseconds. */
  readonly until?: number;
  /** Of the program this is about, as it runs. */
  readonly version?: string;
}

/** Unless said otherwise, dependants wait too, and time ends it; what only a person ends has its condition False at once. */
export interface WaitingOptions extends Partial<Severity> {
  /** When to look again, in milliseconds. */
  readonly after?: number;
}

/**
 * How the world differs from the wish, printable and secret-free, and the remedy. One that fails blocks dependants unless
 * `blocks` is false.
 */
export interface Drift extends Partial<Pick<Severity, 'blocks'>> {
  readonly changes: readonly Change[];
  /** What this remedy does, where the resource's summary does not say it. */
  readonly summary?: string;
  /** True for one step of several: dependants wait until the check finds the whole in sync. */
  readonly partial?: boolean;
  /** True where time alone brought it about: to be repeated is its nature, and no sign of another writer. */
  readonly due?: boolean;
  readonly remedy: (host: Host) => Promise<void>;
}

/** One difference; `undefined` is absence. Values are digests where the text may hold a secret. */
export interface Change {
  readonly field: string;
  readonly observed: string | undefined;
  readonly desired: string | undefined;
}

/** What became of a Resource in one pass. `until` and `lookAgainAt` are epoch milliseconds. */
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

/** In sync. An `until` that never comes is left out. */
export function inSync({ until, ...options }: InSyncOptions = {}): Finding {
  const ends = until !== undefined && Number.isFinite(until);
  return { state: 'InSync', ...options, ...(ends && { until }) };
}

/** Nothing to do now but to look again, five seconds later unless said. */
export function waiting(reason: Reason, message: string, options: WaitingOptions = {}): Finding {
  return { state: 'Waiting', reason, message, ...options };
}

/** Drifted, and corrected by one step of several. */
export function step(change: Change, remedy: Drift['remedy']): Finding {
  return { state: 'Drifted', drift: { changes: [change], partial: true, remedy } };
}

type Printable = string | number | boolean | undefined;

/** Drifted where any field of `desired` differs from `observed`, else in sync; `about` is what else there is of the Drift. */
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
