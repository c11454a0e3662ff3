import type { Host, HostReader } from '../../../engine/host.ts';
import { type Finding, inSync, type Resource, step, waiting } from '../../../engine/resource.ts';
import { advisory } from '../../../engine/severity.ts';
import type { K3sNode } from '../../../node.ts';
import { nodeAccess } from '../../../node-access.ts';
import { neverBlocking } from '../../../resources/combinators.ts';
import { consentAdvice, isConsented } from '../../../settings/consents.ts';
import type { Fleet } from '../turn/fleet.ts';
import type { FleetNode } from '../turn/fleet-node.ts';
import { lookAtFleet, lookerOf } from '../turn/look.ts';
import type { TurnMemory } from '../turn/observations.ts';
import { type Away, observeAway } from './away.ts';
import { consentSubject, keptBecause, nodeAndVm, removeNode } from './remove-node.ts';

/**
 * Reports the nodes whose kubelet has not reported for ten minutes, because nothing in K3s removes the Node of a VM
 * that is gone, and a new VM with its name cannot join. Removes those that consent.rebuiltNodes names, except servers
 * and nodes in their turns. Only one server of the cluster has this Resource.
 */
export function goneNodes(node: K3sNode, memory: TurnMemory): Resource {
  return neverBlocking({
    id: 'Nodes/gone',
    summary: 'remove the Nodes of VMs that are gone',
    condition: 'Turns',
    async check(host) {
      if ((await host.stat(node.paths.k3s.kubeconfig)) === undefined) {
        return inSync();
      }
      const { fleet } = await lookAtFleet(host, await lookerOf(host, node, memory));
      if (fleet === undefined) {
        return inSync();
      }
      return judge(host, node, fleet, observeAway(memory.away, fleet.nodes, host.monotonic()));
    },
  });
}

/** The milliseconds between two looks at nodes that are away. */
const soon = 60_000;

function judge(host: HostReader, node: K3sNode, fleet: Fleet, { long, after }: Away): Finding {
  const consented = long.filter((each) => isNamed(node, each));
  const gone = consented.find((each) => keptBecause(each, fleet) === undefined);
  if (gone) {
    const change = { field: nodeAndVm(gone), observed: 'silent for ten minutes', desired: undefined };
    return step(change, (changing) => removeAgain(changing, node, gone));
  }
  const [kept] = consented;
  if (kept) {
    return waiting(
      'NodeKept',
      `consent.rebuiltNodes names ${kept.name}, which ${keptBecause(kept, fleet)}, so its Node stays.`,
      { ...advisory, after: soon },
    );
  }
  const agents = long.filter((each) => keptBecause(each, fleet) === undefined);
  if (agents.length > 0) {
    return waiting('NodeAway', away(node, agents), { isExpected: true, after: soon });
  }
  return inSync({ until: host.now() + (after ?? rest) });
}

/** The milliseconds until the next look while every kubelet reports. */
const rest = 600_000;

function isNamed({ settings }: K3sNode, away: FleetNode): boolean {
  return (
    isConsented(settings, 'rebuiltNodes', away.name) ||
    isConsented(settings, 'rebuiltNodes', consentSubject(away))
  );
}

/** Removes the Node as it was judged: if it has changed since, the next pass decides again. */
async function removeAgain(host: Host, node: K3sNode, gone: FleetNode): Promise<void> {
  await removeNode(host, await nodeAccess(host, node), gone);
}

const mostNames = 5;

function away({ settings }: K3sNode, nodes: readonly FleetNode[]): string {
  const more = nodes.length > mostNames ? ` and ${nodes.length - mostNames} more` : '';
  const named = nodes.slice(0, mostNames);
  const names = named.map(nodeAndVm).join(', ') + more;
  const commands = named.map(({ name }) => name).join(' or ');
  return (
    `No report for ten minutes: ${names}. If the VM is gone or was rebuilt, run slipway node forget ${commands} here, or ` +
    `${consentAdvice(settings, 'rebuiltNodes', ...named.map(consentSubject))}.`
  );
}
