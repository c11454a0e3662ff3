/** What people do about Nodes with `slipway node` on a server. */
import { NodeError } from '../../../engine/errors.ts';
import type { Host, HostReader } from '../../../engine/host.ts';
import { forPerson } from '../../../engine/severity.ts';
import type { NodePaths } from '../../../paths.ts';
import { lookByPerson, serverAccess } from '../turn/by-person.ts';
import type { TurnSettings } from '../turn/fleet.ts';
import type { FleetNode } from '../turn/fleet-node.ts';
import { keptBecause, nodeAndVm, removeNode } from './remove-node.ts';

/** A Node that a person may remove. */
export interface Forgettable {
  /** The node and its VM, in words. */
  readonly shown: string;
  /**
   * Removes the Node and its password, if the Node has not changed since it was read. Throws `ApiConflict` if it has.
   */
  forget(host: Host): Promise<void>;
}

/**
 * Returns the Node with this name if it may be removed. Throws `NodeKept` if it is missing, a server's, in its turn, or
 * that of a running kubelet, `ApiUnavailable` on an agent, `TurnsUnreadable` if the turns are unknown, and the errors
 * of `readApi`.
 */
export async function forgettable(
  host: HostReader,
  paths: NodePaths,
  settings: TurnSettings,
  name: string,
): Promise<Forgettable> {
  const access = await serverAccess(host, paths);
  const { fleet } = await lookByPerson(host, access, settings);
  const found = fleet.nodes.find((node) => node.name === name);
  if (found === undefined) {
    const others = fleet.nodes.map((node) => node.name).join(', ');
    throw kept(`The cluster has no Node ${name}. It has: ${others}.`);
  }
  const why = keptBecause(found, fleet);
  if (why !== undefined) {
    throw kept(`${name} ${why}, so its Node stays.${adviceFor(found)}`);
  }
  return { shown: nodeAndVm(found), forget: (changing) => removeNode(changing, access, found) };
}

function adviceFor({ isServer, ready }: FleetNode): string {
  return !isServer && ready !== 'Unknown' ? ' To take it out of the cluster, run slipway leave on it.' : '';
}

function kept(message: string): NodeError {
  return new NodeError('NodeKept', message, forPerson);
}
