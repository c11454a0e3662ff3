import type { HostReader } from '../../../engine/host.ts';
import { type Change, type Finding, inSync, type Resource, waiting } from '../../../engine/resource.ts';
import type { K3sNode } from '../../../node.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { type ApiNode, readOwnNode } from '../../k3s/index.ts';
import { isBegun, readTurn } from '../turn/annotations.ts';
import { changeNode, type NodePatch } from './change-node.ts';
import { cordonKey, cordonMark, cordonOf } from './cordon-mark.ts';

/**
 * Returns the step that cordons this node and blocks no dependant; `undefined` once no new pod is scheduled to it.
 * Keeps the cordon of a person or of another program, and leaves no mark on it, so that nothing removes it. `why` names
 * the interruption, such as `upgrade v1.36.4+k3s1`. Throws the errors of `readApi`.
 */
export async function cordonStep(host: HostReader, node: K3sNode, why: string): Promise<Finding | undefined> {
  const found = await readOwnNode(host, node);
  if (found === undefined) {
    return waiting('NodeNotFound', `The cluster has no Node ${node.name} that could be cordoned.`);
  }
  if (cordonOf(found).by !== 'nobody') {
    return undefined;
  }
  const change = { field: 'spec.unschedulable', observed: undefined, desired: 'true' };
  return step(`cordon ${node.name} for: ${why}`, node, change, (fresh, now) =>
    cordonOf(fresh).by === 'nobody'
      ? { metadata: { annotations: { [cordonKey]: cordonMark(why, now) } }, spec: { unschedulable: true } }
      : undefined,
  );
}

/**
 * Returns the step that removes Slipway's cordon of this node; `undefined` once the node has none. Keeps the cordon of
 * a person or of another program, and removes a mark whose cordon is gone. Throws the errors of `readApi`.
 */
export async function uncordonStep(host: HostReader, node: K3sNode): Promise<Finding | undefined> {
  const found = await readOwnNode(host, node);
  return found && uncordoning(node, found);
}

function uncordoning(node: K3sNode, found: ApiNode): Finding | undefined {
  const { by, isMarked, mark } = cordonOf(found);
  if (!isMarked) {
    return undefined;
  }
  const why = mark?.why ?? 'unknown';
  const [summary, change] =
    by === 'slipway'
      ? [`uncordon ${node.name}`, { field: 'spec.unschedulable', observed: `true, for: ${why}` }]
      : ['remove the mark of a former cordon', { field: cordonKey, observed: why }];
  return step(summary, node, { ...change, desired: undefined }, uncordoned);
}

/** Returns the patch that removes Slipway's cordon of a Node, or the mark of a former one; `undefined` without both. */
export function uncordoned(fresh: ApiNode): NodePatch | undefined {
  const { by, isMarked } = cordonOf(fresh);
  const metadata = { annotations: { [cordonKey]: null } };
  return isMarked ? { metadata, ...(by === 'slipway' && { spec: { unschedulable: null } }) } : undefined;
}

/**
 * Removes a cordon of Slipway that no turn needs, as after a crash, a reboot or a drain that was given up, so that no
 * node stays cordoned. `isInTurn` returns true while the node is in its turn; by default, while the state of its turn
 * is `begun`. Never blocks a dependant.
 */
export function cordonReturned(
  node: K3sNode,
  needs: readonly string[],
  isInTurn: (found: ApiNode, host: HostReader) => Promise<boolean> = hasBegunTurn,
): Resource {
  return neverBlocking({
    id: 'Node/uncordoned',
    summary: `uncordon ${node.name}`,
    condition: 'Maintenance',
    isQuiet: true,
    needs,
    check: async (host) => {
      const found = await readOwnNode(host, node);
      const finding = found && uncordoning(node, found);
      return finding && !(await isInTurn(found, host)) ? finding : inSync();
    },
  });
}

async function hasBegunTurn({ metadata }: ApiNode): Promise<boolean> {
  return isBegun(readTurn(metadata?.annotations ?? {}));
}

type Decide = (fresh: ApiNode, now: number) => NodePatch | undefined;

function step(summary: string, node: K3sNode, change: Change, decide: Decide): Finding {
  return {
    state: 'Drifted',
    drift: {
      changes: [change],
      summary,
      blocks: false,
      remedy: (host) => changeNode(host, node, (fresh) => decide(fresh, host.now())),
    },
  };
}
