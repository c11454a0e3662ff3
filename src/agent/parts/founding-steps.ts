import type { Cloud } from '../clouds/cloud.ts';
import type { Resource } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import { upkeep } from '../resources/combinators.ts';
import {
  clusterFounding,
  copyStep,
  criticalSettings,
  etcdFounding,
  etcdMember,
  etcdMigration,
  type FoundingPorts,
  foundingMemory,
  foundingRepaired,
  removedNoted,
  verifies,
} from './k3s/index.ts';
import { heldStep, unlessHeld } from './maintenance/index.ts';

/** The Resources about the founding of a cluster, in their places in the plan; none on an agent. */
export interface FoundingSteps {
  /** With SQLite: the check that the server founds the only cluster. */
  readonly first: readonly Resource[];
  /**
   * With embedded etcd: the repairs of an interrupted beginning and of a removed member, the move from SQLite, and the
   * decision whether the server founds the cluster or joins it.
   */
  etcd(token: Resource): readonly Resource[];
  /** With embedded etcd: the comparison of the settings that all servers share. */
  shared(etcd: readonly Resource[]): readonly Resource[];
  /** With embedded etcd: the state of the member. */
  member(service: Resource): readonly Resource[];
}

/**
 * Returns the Resources about the founding of a cluster, which depend on its datastore. An external datastore needs
 * none: its servers are equal, and K3s lets the first one found the cluster there.
 */
export function foundingSteps(
  node: K3sNode,
  cloud: Cloud,
  ports: FoundingPorts = { memory: foundingMemory() },
): FoundingSteps {
  const onServers = (datastore: 'sqlite' | 'etcd', make: () => Resource) =>
    node.settings.k3s.datastore === datastore && verifies(node, 'founding') ? [make()] : [];
  return {
    first: onServers('sqlite', () => clusterFounding(node)),
    etcd: ({ id }) => [
      ...onServers('etcd', () => unlessHeld(node, foundingRepaired(node, [id]))),
      ...onServers('etcd', () => unlessHeld(node, removedNoted(node, [id]))),
      ...onServers('etcd', () => upkeep(etcdMigration(node, { copy: copyStep, held: heldStep }, [id]))),
      ...onServers('etcd', () => etcdFounding(node, { ...ports, cloud }, [id])),
    ],
    shared: (etcd) =>
      onServers('etcd', () =>
        criticalSettings(
          node,
          etcd.map(({ id }) => id),
        ),
      ),
    member: ({ id }) => onServers('etcd', () => upkeep(etcdMember(node, [id]))),
  };
}
