import type { Settings } from '../../../settings/schema.ts';
import { pause } from './evict.ts';
import type { ApiPod } from './pods.ts';
import type { DrainRecord } from './record.ts';
import type { SortedPods } from './sorted-pods.ts';

/** What a drain does next. `seconds` is the time until the next look. */
export type Move =
  | { readonly kind: 'evict' | 'delete'; readonly pods: readonly ApiPod[] }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'end'; readonly how: 'drained' | 'wentOn' | 'gaveUp' };

/** The settings that end a drain. `timeout` is in milliseconds. */
export type DrainLimit = Pick<Settings['maintenance']['drain'], 'timeout' | 'onTimeout'>;

/** The seconds between two looks at pods that are ending. */
const lookAgain = 2;
/** The grace period of a pod that names none, and the time for kubelet to remove a pod after it; both in seconds. */
const usualGrace = 30;
const cleanUp = 30;

/**
 * Returns what a drain does next. `now` is in seconds since the boot. The time limit counts from the start in the
 * record, and is over early if the API can never evict any of the pods that are left. After the limit, only `force`
 * deletes pods; it then waits for their grace periods, but at most for the time limit once more.
 */
export function nextMove(
  sorted: SortedPods,
  record: DrainRecord | undefined,
  { timeout, onTimeout }: DrainLimit,
  now: number,
): Move {
  const { toEvict, ending } = sorted;
  if (toEvict.length + ending.length === 0) {
    return { kind: 'end', how: 'drained' };
  }
  if (record === undefined) {
    return { kind: 'evict', pods: toEvict };
  }
  const limit = timeout / 1_000;
  const deadline = record.since + limit;
  const isHopeless = ending.length === 0 && toEvict.every((pod) => isFinal(record, pod));
  if (now < deadline && !isHopeless) {
    return evictOrWait(sorted, record, deadline, now);
  }
  if (onTimeout !== 'force') {
    return { kind: 'end', how: onTimeout === 'giveUp' ? 'gaveUp' : 'wentOn' };
  }
  const longest = Math.min(limit, longestGrace([...toEvict, ...ending]) + cleanUp);
  const begin = record.forced ?? (toEvict.length > 0 ? now : Math.min(deadline, now));
  const end = begin + longest;
  return now < end ? deleteOrWait(toEvict, record, end, now) : { kind: 'end', how: 'wentOn' };
}

/** True if the time limit of a drain is over; for a caller that knows nothing about the pods. */
export function isOver({ since }: DrainRecord, { timeout }: DrainLimit, now: number): boolean {
  return now >= since + timeout / 1_000;
}

function evictOrWait(
  { toEvict, ending }: SortedPods,
  record: DrainRecord,
  deadline: number,
  now: number,
): Move {
  const hopeful = toEvict.filter((pod) => !isFinal(record, pod));
  const round = roundAfter(record);
  const times = hopeful.map((pod) => Math.max(refusalOf(record, pod)?.until ?? 0, round));
  const due = hopeful.filter((_, at) => (times[at] ?? 0) <= now);
  return due.length > 0
    ? { kind: 'evict', pods: due }
    : wait(now, deadline, ...(ending.length > 0 ? [now + lookAgain] : []), ...times);
}

function deleteOrWait(toEvict: readonly ApiPod[], record: DrainRecord, end: number, now: number): Move {
  const isDue = record.forced === undefined || now >= roundAfter(record);
  return toEvict.length > 0 && isDue ? { kind: 'delete', pods: toEvict } : wait(now, end, now + lookAgain);
}

function wait(now: number, ...times: readonly number[]): Move {
  return { kind: 'wait', seconds: Math.max(0.1, Math.min(...times) - now) };
}

function roundAfter({ round }: DrainRecord): number {
  return round === undefined ? 0 : round + pause;
}

function refusalOf({ refused }: DrainRecord, { metadata: { uid } }: ApiPod) {
  return refused[uid];
}

/** True if asking again cannot help. */
function isFinal(record: DrainRecord, pod: ApiPod): boolean {
  const refusal = refusalOf(record, pod);
  return refusal !== undefined && refusal.until === undefined;
}

function longestGrace(pods: readonly ApiPod[]): number {
  return Math.max(...pods.map(({ metadata }) => metadata.deletionGracePeriodSeconds ?? usualGrace));
}
