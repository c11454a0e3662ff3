import { NodeError } from '../../../engine/errors.ts';
import type { HostReader } from '../../../engine/host.ts';
import { type Finding, step, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { type BootTime, bootTime } from '../boot-time.ts';
import { cordonStep, uncordonStep } from './cordon.ts';
import { drainStep } from './drain.ts';
import { isOver } from './next-move.ts';
import { readRecord, writeRecord } from './record.ts';

/**
 * Returns the next step before this node leaves its cluster for good: the cordon, an eviction or a wait for pods;
 * `undefined` once no pod is left to evict. If the cluster cannot be reached for the time limit of the drain, the node
 * leaves without one, because the cluster may be gone. An agent that never joined leaves at once.
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
    if (!(thrown instanceof NodeError && ['ApiUnavailable', 'ApiForbidden'].includes(thrown.reason))) {
      throw thrown;
    }
    if ((await host.stat(node.paths.k3s.kubeletKubeconfig)) === undefined) {
      return undefined;
    }
    // One failed request may be a server that restarts.
    const silence = `silence ${turn}`;
    const begun = record ?? (await readRecord(host, node.paths, silence, time));
    if (begun === undefined) {
      return silenceStep(node, silence, time);
    }
    if (isOver(begun, { timeout, onTimeout }, time.seconds)) {
      return undefined;
    }
    throw thrown;
  }
}

/** Records since when the cluster cannot be reached; a drain that begins later has its whole time. */
function silenceStep({ name, paths }: K3sNode, turn: string, { boot, seconds: since }: BootTime): Finding {
  const change = { field: 'cluster', observed: 'unreachable', desired: `reachable, or left by ${name}` };
  return step(change, (host) => writeRecord(host, paths, { turn, boot, since, refused: {} }));
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
