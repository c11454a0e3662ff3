import type { Role } from '../../../roles/role.ts';
import { type Condition, isUnverified } from '../../engine/conditions.ts';
import { type Annotations, annotationKeys as keys } from './node-annotations.ts';
import type { NodeEvent } from './node-events.ts';

/** The state of a node after a pass. */
export interface Standing {
  /** The version of Slipway. */
  readonly version: string;
  readonly role: Pick<Role, 'name' | 'summary'>;
  /** All conditions, with `Ready` first. */
  readonly conditions: readonly Condition[];
}

/** The reports so far on which the next report to the cluster depends. */
export interface Told {
  readonly annotations: Annotations;
  /** The role in the last `RoleTaken` event. */
  readonly role: string | undefined;
  /** The conditions whose last event reported them as False, each with its reason. */
  readonly failing: Readonly<Record<string, string>>;
  /** The time of the last event, in epoch milliseconds, by `<subject> <reason>`. */
  readonly times: Readonly<Record<string, number>>;
}

export interface Announcement {
  readonly events: readonly NodeEvent[];
  /** All wanted annotations; `undefined` if the Node already has them. */
  readonly annotations: Annotations | undefined;
  /** The reports so far, including these events; `annotations` are still the old ones. */
  readonly told: Told;
}

/**
 * Milliseconds during which an event with the same subject and reason is not repeated. A suppressed event is written
 * afterwards if it still applies.
 */
const quiet = 10 * 60_000;

/**
 * Reconstructs from the annotations of the Node what earlier processes reported, so that a new process does not repeat
 * their events.
 */
export function toldBy(annotations: Annotations): Told {
  return { annotations, role: annotations[keys.role], failing: failingBy(annotations), times: {} };
}

function failingBy(annotations: Annotations): Told['failing'] {
  const pairs = (annotations[keys.failing] ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => pair.split('=')));
}

/**
 * Returns what to report about a node: events about a new role and about each condition that became False, changed its
 * reason or became True again, and the annotations if any of them has changed. Leaves out an event that was already
 * written in the last ten minutes. A condition that waits, or whose correction is not verified yet, has no event,
 * because it soon becomes True or False.
 */
export function announcement(standing: Standing, told: Told, now: number): Announcement {
  const news = [
    ...roleTaken(standing, told),
    ...standing.conditions.flatMap((each) => conditionEvents(each, told)),
  ];
  const events = news.filter((event) => !isRecent(told.times[nameOf(event)], now));
  const wanted = annotationsOf(standing, told);
  const isWritten = Object.entries(wanted).every(([key, value]) => told.annotations[key] === value);
  return {
    events,
    annotations: isWritten ? undefined : wanted,
    told: toldAfter(told, events, standing, now),
  };
}

function roleTaken({ conditions: [ready], role, version }: Standing, told: Told): readonly NodeEvent[] {
  if (ready?.status !== 'True' || role.name === told.role) {
    return [];
  }
  const before = told.role === undefined ? '' : `, after ${told.role}`;
  const message = `${role.name}: ${role.summary}${before} (slipway ${version})`;
  return [{ about: 'Node', type: 'Normal', reason: 'RoleTaken', message }];
}

/**
 * Returns the event about a condition that failed, changed its reason or is in sync again; an empty list otherwise.
 * `Ready` has no events: it sums up the other conditions and would repeat their events.
 */
function conditionEvents(condition: Condition, { failing }: Told): readonly NodeEvent[] {
  const { type, message } = condition;
  const before = failing[type];
  const reason = failureReason(condition, failing);
  if (type === 'Ready' || reason === before) {
    return [];
  }
  if (reason !== undefined) {
    return [{ about: type, type: 'Warning', reason, message: `${type}: ${message}` }];
  }
  return [{ about: type, type: 'Normal', reason: 'InSync', message: `${type}: in sync, after ${before}` }];
}

/**
 * Returns the reason of a failing condition; `undefined` if the condition does not fail. A condition keeps its earlier
 * reason while it waits, as after each start of the daemon, or while its correction is not verified yet.
 */
function failureReason(condition: Condition, before: Told['failing']): string | undefined {
  const { type, status, reason } = condition;
  if (status === 'False') {
    return reason;
  }
  return status === 'True' && !isUnverified(condition) ? undefined : before[type];
}

/**
 * Returns the wanted annotations. The role annotation changes only together with the `RoleTaken` event, so it proves
 * that the event was written.
 */
function annotationsOf({ version, role, conditions }: Standing, { annotations }: Told): Annotations {
  const [ready, ...others] = conditions;
  const taken = ready?.status === 'True' ? role.name : annotations[keys.role];
  const before = failingBy(annotations);
  const failing = others.flatMap((condition) => {
    const reason = failureReason(condition, before);
    return reason === undefined ? [] : [`${condition.type}=${reason}`];
  });
  return {
    [keys.version]: version,
    ...(taken !== undefined && { [keys.role]: taken }),
    [keys.ready]: ready?.status ?? 'Unknown',
    [keys.reason]: ready?.reason ?? 'Blocked',
    [keys.failing]: failing.join(','),
  };
}

function toldAfter(
  told: Told,
  events: readonly NodeEvent[],
  { role, conditions }: Standing,
  now: number,
): Told {
  const isTold = (about: NodeEvent['about'] | 'Ready') => events.some((event) => event.about === about);
  const failing = conditions.flatMap((condition) => {
    const { type } = condition;
    const reason = isTold(type) ? failureReason(condition, told.failing) : told.failing[type];
    return reason === undefined ? [] : [[type, reason]];
  });
  return {
    annotations: told.annotations,
    role: isTold('Node') ? role.name : told.role,
    failing: Object.fromEntries(failing),
    times: { ...told.times, ...Object.fromEntries(events.map((event) => [nameOf(event), now])) },
  };
}

function nameOf({ about, reason }: NodeEvent): string {
  return `${about} ${reason}`;
}

/**
 * True if the time is less than `quiet` milliseconds ago. False for a time in the future, so that no event is
 * suppressed after the clock was set back.
 */
function isRecent(time: number | undefined, now: number): boolean {
  return time !== undefined && time <= now && now < time + quiet;
}
