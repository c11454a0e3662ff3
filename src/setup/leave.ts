/** The work of `slipway leave`. */
import { join } from 'node:path';
import { NodeError } from '../agent/engine/errors.ts';
import type { Host, HostReader } from '../agent/engine/host.ts';
import { forPerson } from '../agent/engine/severity.ts';
import { isServer, type K3sNode, unitName } from '../agent/node.ts';
import { k3sStopped } from '../agent/parts/k3s/index.ts';
import { emptyNode, uncordonStep } from '../agent/parts/maintenance/index.ts';
import { perform, type Tell } from './perform.ts';
import { daemonUnit } from './setup-paths.ts';
import { daemonStopped } from './uninstall-steps.ts';

/**
 * Throws `NodeKept` if the node is to be a server, or if its machine was installed as one: while a change of its role
 * waits for consent, the settings already have the other role.
 */
export async function requireAgent(host: HostReader, { name, role, paths }: K3sNode): Promise<void> {
  const unit = join(paths.system.units, unitName('server'));
  if (isServer({ role }) || (await host.stat(unit)) !== undefined) {
    throw new NodeError(
      'NodeKept',
      `${name} is a server, and the cluster needs it. Only agents leave a cluster.`,
      forPerson,
    );
  }
}

/**
 * Cordons the node and evicts its pods, and then stops K3s and the daemon for good. Resolves to false if a step failed,
 * if the settings give up the drain while pods are left, or if `interrupted` is aborted before K3s stops; in the latter
 * two cases, uncordons the node. A second call continues. Throws the errors of `readApi`.
 */
export async function leaveCluster(
  host: Host,
  node: K3sNode,
  tell: Tell,
  interrupted: AbortSignal,
): Promise<boolean> {
  const { paths, name } = node;
  const gaveUp = await emptyNode(host, node, 'leave', tell.out, interrupted);
  if (gaveUp || interrupted.aborted) {
    tell.error(gaveUp ? `${gaveUp.reason}: ${gaveUp.message}` : interruption(name));
    await uncordon(host, node);
    return false;
  }
  if (!(await perform([...k3sStopped(paths, true), daemonStopped(paths, true)], host, tell))) {
    return false;
  }
  tell.out(`${name} has left. On a server, remove its Node: slipway node forget ${name}`);
  tell.out(
    `The data stays in ${paths.k3s.data}; slipway uninstall --k3s --purge removes everything. To join again: systemctl enable --now ${daemonUnit}`,
  );
  return true;
}

function interruption(name: string): string {
  return `Interrupted: ${name} stays in the cluster, and accepts pods again. Pods that were evicted may run on other nodes.`;
}

async function uncordon(host: Host, node: K3sNode): Promise<void> {
  const step = await uncordonStep(host, node);
  if (step?.state === 'Drifted') {
    await step.drift.remedy(host);
  }
}
