import { isServer, type K3sNode } from '../../../../node.ts';
import { agent } from './agent.ts';
import { firstServer } from './first-server.ts';
import { joiningServer } from './joining-server.ts';
import type { Membership, MembershipKind, Verification } from './kind.ts';

/** All kinds of membership. */
export const membershipKinds = { agent, firstServer, joiningServer } as const satisfies Readonly<
  Record<Membership, MembershipKind>
>;

/**
 * Returns the kind of a node: a server is a joining one once the Resource `Cluster/founding` has decided so, and
 * `keepingMembership` has read this decision.
 */
export function kindOf(node: Pick<K3sNode, 'role' | 'joins'>): MembershipKind {
  if (!isServer(node)) {
    return agent;
  }
  return node.joins === undefined ? firstServer : joiningServer;
}

/** True if a node of this kind is verified in this respect. */
export function verifies(node: Pick<K3sNode, 'role'>, what: Verification): boolean {
  return kindOf(node).verifies.includes(what);
}
