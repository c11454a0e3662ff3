import type { Host } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { bootTime } from '../boot-time.ts';
import { evict, type Refusal, remove } from './evict.ts';
import type { ApiPod } from './pods.ts';
import { type DrainRecord, writeRecord } from './record.ts';

/** One attempt to evict pods, or to delete them despite their budgets. */
export interface Round {
  readonly node: K3sNode;
  /** The record of the drain; without one, the drain begins now. */
  readonly record: DrainRecord | undefined;
  readonly turn: string;
  readonly pods: readonly ApiPod[];
  readonly isForced: boolean;
  /** The upper limit of each pod's grace period, in seconds. If it is set, all requests are sent at the same time. */
  readonly grace?: number | undefined;
}

/**
 * Evicts or deletes the pods, and records the refusals. The start of the drain is recorded before the first eviction,
 * so that a crash does not prolong the drain. Throws the errors of `evict`; the next round then tries all these pods
 * again.
 */
export async function runRound(host: Host, whole: Round): Promise<void> {
  const { node, record, turn, isForced } = whole;
  const { boot, seconds } = await bootTime(host);
  const known = record ?? { turn, boot, since: seconds, refused: {} };
  const begun = isForced && known.forced === undefined ? { ...known, forced: seconds } : known;
  if (begun !== record) {
    await writeRecord(host, node.paths, begun);
  }
  const access = await nodeAccess(host, node);
  const refused = { ...begun.refused };
  await eachPod(whole, async (pod, grace) => {
    const { uid } = pod.metadata;
    const refusal = await (isForced ? remove(host, access, pod) : evict(host, access, pod, grace));
    delete refused[uid];
    if (refusal) {
      refused[uid] = await refusalRecord(host, refusal);
    }
  });
  await writeRecord(host, node.paths, { ...begun, refused, round: (await bootTime(host)).seconds });
}

/** Calls `ask` for each pod: one after the other, or for all at the same time if their grace periods are limited. */
async function eachPod(
  { pods, grace }: Round,
  ask: (pod: ApiPod, grace: number | undefined) => Promise<void>,
): Promise<void> {
  if (grace !== undefined) {
    await Promise.all(pods.map((pod) => ask(pod, grace)));
    return;
  }
  for (const pod of pods) {
    await ask(pod, grace);
  }
}

async function refusalRecord(host: Host, { says, after }: Refusal): Promise<DrainRecord['refused'][string]> {
  const asked = (await bootTime(host)).seconds;
  return { says, ...(after !== undefined && { until: asked + after }) };
}
