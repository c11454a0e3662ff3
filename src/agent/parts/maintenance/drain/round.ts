import type { Host } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { bootTime } from '../boot-time.ts';
import { evict, remove } from './evict.ts';
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
}

/**
 * Evicts or deletes the pods, and records the refusals. The start of the drain is recorded before the first eviction,
 * so that a crash does not prolong the drain. Throws the errors of `evict`; the next round then tries all these pods
 * again.
 */
export async function runRound(host: Host, { node, record, turn, pods, isForced }: Round): Promise<void> {
  const { boot, seconds } = await bootTime(host);
  const known = record ?? { turn, boot, since: seconds, refused: {} };
  const begun = isForced && known.forced === undefined ? { ...known, forced: seconds } : known;
  if (begun !== record) {
    await writeRecord(host, node.paths, begun);
  }
  const access = await nodeAccess(host, node);
  const refused = { ...begun.refused };
  for (const pod of pods) {
    const { uid } = pod.metadata;
    const refusal = await (isForced ? remove : evict)(host, access, pod);
    delete refused[uid];
    if (refusal) {
      const { says, after } = refusal;
      const asked = (await bootTime(host)).seconds;
      refused[uid] = { says, ...(after !== undefined && { until: asked + after }) };
    }
  }
  await writeRecord(host, node.paths, { ...begun, refused, round: (await bootTime(host)).seconds });
}
