import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { bootTime } from '../boot-time.ts';
import { cordonStep, uncordonStep } from './cordon.ts';
import { drainStep } from './drain.ts';
import { isOver } from './next-move.ts';
import { readRecord } from './record.ts';

/**
 * Returns the next step before this node leaves its cluster for good: the cordon, an eviction or a wait for pods;
 * `undefined` once no pod is left to evict. If the cluster cannot be reached, the node leaves without a drain, because
 * the cluster may be gone; a drain that has begun waits for its time limit.
 *
 * If the drain is given up, removes the cordon and waits for a person. `why` identifies what the node leaves for; after
 * a change of `timeout` or `onTimeout`, the drain begins anew.
 */
export async function emptiedStep(
  host: HostReader,
  node: K3sNode,
  why: string,
): Promise<Finding | undefined> {
  const { timeout, onTimeout } = node.settings.maintenance.drain;
  const turn = `${why} ${timeout} ${onTimeout}`;
  const time = await bootTime(host);
  const record = await readRecord(host, node.paths, turn, time);
  if (record?.end?.how === 'gaveUp') {
    return givenUp(host, node, record.end.message);
  }
  try {
    return await nextStep(host, node, why, turn);
  } catch (thrown) {
    const isLost = thrown instanceof NodeError && ['ApiUnavailable', 'ApiForbidden'].includes(thrown.reason);
    if (isLost && (record === undefined || isOver(record, { timeout, onTimeout }, time.seconds))) {
      return undefined;
    }
    throw thrown;
  }
}

async function nextStep(
  host: HostReader,
  node: K3sNode,
  why: string,
  turn: string,
): Promise<Finding | undefined> {
  const cordon = await cordonStep(host, node, why);
  if (cordon?.state === 'Waiting' && cordon.reason === 'NodeNotFound') {
    return undefined;
  }
  const found = cordon ?? (await drainStep(host, node, { turn, nowhere: false }));
  return found?.state === 'GaveUp' ? uncordonStep(host, node) : found;
}

/** Removes the cordon, and then waits for a person. */
async function givenUp(host: HostReader, node: K3sNode, message: string): Promise<Finding> {
  return (
    (await uncordonStep(host, node)) ?? waiting('DrainGaveUp', message, { endedBy: 'person', after: 30_000 })
  );
}
