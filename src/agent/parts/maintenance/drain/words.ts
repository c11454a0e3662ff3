import type { Change } from '../../../engine/resource.ts';
import type { LocalVolume } from './local-volumes.ts';
import type { DrainLimit } from './next-move.ts';
import { type ApiPod, nameOf } from './pods.ts';
import type { DrainRecord } from './record.ts';
import type { SortedPods } from './sorted-pods.ts';

/** The largest number of pods that a message names. */
const mostNames = 10;

/** Returns the names of pods, separated by commas; of many pods only the first. */
export function namesOf(pods: readonly ApiPod[]): string {
  return listed(pods.map(nameOf));
}

/** Returns the pods for which a drain waits, each with the cause. */
export function waitingPods({ toEvict, ending }: SortedPods, record: DrainRecord | undefined): string {
  const refused = toEvict.map((pod) => {
    const says = record?.refused[pod.metadata.uid]?.says;
    return says === undefined ? nameOf(pod) : `${nameOf(pod)} (${says})`;
  });
  return listed([...refused, ...ending.map((pod) => `${nameOf(pod)} (is ending)`)]);
}

/** Returns a number of pods in words, such as `1 pod` or `3 pods`. */
export function podCount(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}

/** Returns a time limit in words, such as `10 minutes`. */
export function minutes({ timeout }: Pick<DrainLimit, 'timeout'>): string {
  const whole = Math.round(timeout / 60_000);
  return timeout < 60_000 ? `${timeout / 1_000} seconds` : `${whole} ${whole === 1 ? 'minute' : 'minutes'}`;
}

/** Returns the changes that the first evictions of a drain make, with the local volumes that become unreachable. */
export function firstChanges({ toEvict }: SortedPods, volumes: readonly LocalVolume[]): readonly Change[] {
  return [
    evicted(toEvict),
    ...volumes.map(({ name, fate }) => ({ field: name, observed: 'on this node', desired: fate })),
  ];
}

export function evicted(pods: readonly ApiPod[]): Change {
  return { field: 'pods', observed: pods.length === 0 ? undefined : namesOf(pods), desired: 'evicted' };
}

/** Returns the pods that the settings leave on the node, as a clause; an empty string if none stays. */
export function leftClause({ left }: SortedPods): string {
  const names = left.map(({ pod, why }) => `${nameOf(pod)}: ${why}`);
  return names.length === 0 ? '' : `, and leave ${podCount(left.length)} (${listed(names)})`;
}

function listed(names: readonly string[]): string {
  const more = names.length - mostNames;
  return more > 0 ? `${names.slice(0, mostNames).join(', ')} and ${more} more` : names.join(', ');
}
