import type { Role } from '../../../roles/role.ts';
import { type Condition, isUnverified } from '../../engine/conditions.ts';
import { type Annotations, annotationKeys as keys } from './node-annotations.ts';
import type { NodeEvent } from './node-events.ts';

/** How a node stands after a pass. */
export interface Standing {
  /** Of Slipway. */
  readonly version: string;
  readonly role: Pick<Role, 'name' | 'summary'>;
  /** `Ready` comes first. */
  readonly conditions: readonly Condition[];
}

/** What the cluster was told, as far as it decides what to tell next. */
export interface Told {
  readonly annotations: Annotations;
  /** Of the last event about a role. */
  readonly role: string | undefined;
  /** The conditions that are False by the last event about them, and its reason. */
  readonly failing: Readonly<Record<string, string>>;
  /** When the last event of each condition and reason was written; epoch milliseconds. */
  readonly times: Readonly<Record<string, number>>;
}

export interface Announcement {
  readonly events: readonly NodeEvent[];
  /** All of them as they are to be; `undefined` where they are so. */
  readonly annotations: Annotations | undefined;
  /** What will have been told with the events; its annotations are still the old ones. */
  readonly told: Told;
}

/** Milliseconds in which an event is not repeated. What is held back is told after them, if it still holds. */
const quiet = 10 * 60_000;

/** What was told by somebody who wrote these annotations: a process that begins repeats none of it. */
export function toldBy(annotations: Annotations): Told {
  return { annotations, role: annotations[keys.role], failing: failingBy(annotations), times: {} };
}

function failingBy(annotations: Annotations): Told['failing'] {
  const pairs = (annotations[keys.failing] ?? '').split(',').filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => pair.split('=')));
}

/**
 * What there is to tell of a node: a role it took, conditions that became False, or False for another reason, or True
 * again, and how it stands now. What waits or was just changed is no news; it soon is one or the other.
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
  if (ready?.status !== 'True' || role.name === told.role) return [];
  const before = told.role === undefined ? '' : `, after ${told.role}`;
  const message = `${role.name}: ${role.summary}${before} (slipway ${version})`;
  return [{ about: 'Node', type: 'Normal', reason: 'RoleTaken', message }];
}

/** `Ready` is the sum of the others, and would tell each of them twice. */
function conditionEvents(condition: Condition, { failing }: Told): readonly NodeEvent[] {
  const { type, message } = condition;
  const before = failing[type];
  const reason = failureReason(condition, failing);
  if (type === 'Ready' || reason === before) return [];
  if (reason !== undefined) return [{ about: type, type: 'Warning', reason, message: `${type}: ${message}` }];
  return [{ about: type, type: 'Normal', reason: 'InSync', message: `${type}: in sync, after ${before}` }];
}

/** Why a condition fails. What waits, as after each start of the daemon, or was not verified yet is as it was. */
function failureReason(condition: Condition, before: Told['failing']): string | undefined {
  const { type, status, reason } = condition;
  if (status === 'False') return reason;
  return status === 'True' && !isUnverified(condition) ? undefined : before[type];
}

/** The role is only written where it was taken: that makes it the proof of the event. */
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

/** A clock that was put back holds nothing back. */
function isRecent(time: number | undefined, now: number): boolean {
  return time !== undefined && time <= now && now < time + quiet;
}
