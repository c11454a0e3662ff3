/** Finds in the journals of a lab when K3s was interrupted on each node, and checks the order of the nodes. */
import type { Entry } from './systemd/journal.ts';

/** A time in which K3s was stopped and not yet started again on a node; milliseconds since the epoch. */
export interface Interruption {
  readonly node: string;
  readonly from: number;
  /** Infinity if K3s was not started again. */
  readonly to: number;
}

/** Returns the interruptions of K3s after `since` (milliseconds since the epoch) that a node's journal shows. */
export function interruptionsIn(
  journal: readonly Entry[],
  node: string,
  since: number,
): readonly Interruption[] {
  const found: Interruption[] = [];
  for (const { UNIT = '', MESSAGE = '', __REALTIME_TIMESTAMP = '0' } of journal) {
    const at = Number(__REALTIME_TIMESTAMP) / 1_000;
    if (!/^k3s(-agent)?\.service$/.test(UNIT) || at < since) {
      continue;
    }
    const open = found.at(-1);
    if (/^Stopping /.test(MESSAGE)) {
      found.push({ node, from: at, to: Number.POSITIVE_INFINITY });
    } else if (/^Started /.test(MESSAGE) && open?.to === Number.POSITIVE_INFINITY) {
      found[found.length - 1] = { ...open, to: at };
    }
  }
  return found;
}

/**
 * Returns what is wrong with the order in which the nodes were interrupted: each must be interrupted exactly once, the
 * server first, and one after the other. `undefined` if the order is right.
 */
export function orderFault(
  nodes: readonly string[],
  interruptions: readonly Interruption[],
): string | undefined {
  const inOrder = interruptions.toSorted((a, b) => a.from - b.from);
  for (const name of nodes) {
    const times = inOrder.filter(({ node }) => node === name).length;
    if (times !== 1) {
      return `K3s on ${name} was restarted ${times} times in one upgrade, not once.`;
    }
  }
  const [first] = inOrder;
  if (first?.node !== 'server') {
    return `K3s on ${first?.node} was restarted before the server.`;
  }
  const together = inOrder.find((each, at) => at > 0 && each.from < (inOrder[at - 1]?.to ?? 0));
  return together && `K3s on ${together.node} was stopped before K3s on another node had started again.`;
}
