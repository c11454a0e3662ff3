/** The part of `npm start` that shows an upgrade of K3s on all nodes, one after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { interruptionsIn, orderFault } from './interruptions.ts';
import type { LabCloud } from './lab-clouds.ts';
import { lengthened } from './limits.ts';
import type { LabNode } from './node.ts';
import type { LabOn } from './running-lab.ts';
import { readJournal } from './systemd/journal.ts';
import { publishRelease, wishRelease } from './wish.ts';

/**
 * Upgrades all nodes to a release, and then describes with `say` when each node was interrupted. Rejects if a node does
 * not end its upgrade within two minutes (limits.ts), or if the nodes are interrupted in the wrong order.
 */
export async function showUpgrade(
  lab: LabOn<LabCloud>,
  version: string,
  say: (text: string) => void,
): Promise<void> {
  await publishRelease(lab, version, false);
  const since = Date.now();
  wishRelease(lab, version);
  for (const node of lab.nodes) {
    await upgraded(node, version, since + lengthened(120_000));
  }
  const interruptions = lab.nodes
    .flatMap(({ name, root }) => interruptionsIn(readJournal(root), name, since))
    .toSorted((a, b) => a.from - b.from);
  const names = lab.nodes.map(({ name }) => name);
  const fault = orderFault(names, interruptions);
  if (fault !== undefined) {
    throw new Error(fault);
  }
  say('');
  for (const { node, from, to } of interruptions) {
    const after = ((from - since) / 1_000).toFixed(1).padStart(4);
    say(
      `  ${node.padEnd(13)}  ${after} s after the wish, K3s was away for ${((to - from) / 1_000).toFixed(1)} s`,
    );
  }
  say('');
}

/** Resolves once the node is Ready with the release, and has recorded the end of the upgrade; rejects at `end`. */
async function upgraded(node: LabNode, version: string, end: number): Promise<void> {
  const ready = `is Ready, with ${version}`;
  const isDone = () =>
    JSON.parse(node.read('var/lib/slipway/upgrade.json') ?? '{}').state === 'done' &&
    node.isReady &&
    node.status()?.conditions.some(({ message }) => message.endsWith(ready));
  while (!isDone()) {
    if (Date.now() > end) {
      const record = node.read('var/lib/slipway/upgrade.json') ?? 'it has not begun';
      throw new Error(`${node.name} did not upgrade to ${version}: ${record}`);
    }
    await sleep(200);
  }
}
