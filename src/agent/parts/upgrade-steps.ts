import type { Resource } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import {
  copyStep,
  datastoreCopied,
  type Gate,
  releaseFetched,
  releaseReplaced,
  releaseVerdict,
  upgradeTurn,
} from './k3s/index.ts';
import { unlessHeld } from './maintenance/index.ts';

/**
 * Returns the steps of an upgrade up to the replacement of the executable. The service of K3s then notices the new
 * release.
 */
export function upgradeSteps(node: K3sNode, gate: Gate, needs: readonly string[]): readonly Resource[] {
  const fetched = releaseFetched(node, needs);
  const turn = upgradeTurn(node, gate, [fetched.id]);
  const copied = node.role.k3s === 'server' ? [datastoreCopied(node, copyStep, [turn.id])] : [];
  const before = [turn, ...copied].map(({ id }) => id);
  const replaced = releaseReplaced(node, { copy: copyStep, verdict: releaseVerdict }, before);
  return [fetched, ...[turn, ...copied, replaced].map((each) => unlessHeld(node, each))];
}
