import type { Role } from '../../../roles/role.ts';
import { type Condition, isUnverified } from '../../engine/conditions.ts';
import { type Annotations, annotationKeys as keys } from './node-annotations.ts';
import type { NodeEvent } from './node-events.ts';

/** The state of a node after a pass. */
export interface Standing {
  /** The version of Slipway. */
  readonly version: string;
  readonly role: Pick<Role, 'name' | 'summary'>;
  /** `Ready` comes first. */
  readonly conditions: readonly Condition[];
}

/** What the cluster knows, as far as it decides about the next report. */
export interface Told {
  readonly annotations: Annotations;
  /** The role of the last event about a role. */
  readonly role: string | undefined;
  /** The conditions that are False by the last event about them, with its reason. */
  readonly failing: Readonly<Record<string, string>>;
  /** The time of the last event of each condition and reason; epoch milliseconds. */
  readonly times: Readonly<Record<string, number>>;
}

export interface Announcement {
  readonly events: readonly NodeEvent[];
  /** All annotations as wanted; `undefined` if they are in place. */
  readonly annotations: Annotations | undefined;
  /** The record after these events; its annotations are still the old ones. */
  readonly told: Told;
}

/**
 * Milliseconds in which an event is not repeated. An event that is held back is written after them if it still applies.
 */
const quiet = 10 * 60_000;

/** Reads what an earlier process reported, from its annotations, so that a new process repeats none of it. */
export function toldBy(annotations: Annotations): Told {
  return { annotations, role: annotations[keys.role], failing: failingBy(annotations), times: {} };
}

function failingBy(annotations: Annotations): Told['failing'] {
  const pairs = (annotations[keys.failing] ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => pair.split('=')));
}

/**
 * Returns what to report about a node: a new role; conditions that became False, or False for another reason, or True
 * again; and the node's state. A condition that waits or was just changed is not reported: it soon becomes True or
 * False.
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
 * Returns the events about a condition. `Ready` has no events of its own: it sums up the others, and would repeat each
 * of theirs.
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
 * Returns why a condition fails. One that waits, as after each start of the daemon, or is not verified yet keeps its
 * earlier state.
 */
function failureReason(condition: Condition, before: Told['failing']): string | undefined {
  const { type, status, reason } = condition;
  if (status === 'False') {
    return reason;
  }
  return status === 'True' && !isUnverified(condition) ? undefined : before[type];
}

/** Writes the role only with the event about it, so that the annotation proves the event. */
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

/** False for a time in the future, so that a clock that was set back does not hold back events. */
function isRecent(time: number | undefined, now: number): boolean {
  return time !== undefined && time <= now && now < time + quiet;
}
