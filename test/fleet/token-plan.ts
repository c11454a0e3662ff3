import { actingServer, nameOfActing } from '../../src/agent/acting.ts';
import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import type { HostReader } from '../../src/agent/engine/host.ts';
import type { Resource } from '../../src/agent/engine/resource.ts';
import type { LeaseMemory } from '../../src/agent/kubernetes/lease.ts';
import { isOnlyServer, type K3sNode } from '../../src/agent/node.ts';
import type { Gate } from '../../src/agent/parts/k3s/gate.ts';
import {
  joinToken,
  nonBlockingOnceJoined,
  ownStart,
  releaseAgreed,
  releasePublished,
  rotationRestart,
  startRepaired,
  tokenAccepted,
  tokenFollowed,
  tokenRotated,
} from '../../src/agent/parts/k3s/index.ts';
import {
  asMaintenance,
  noticeRemoved,
  rotationNotice,
  tokenShown,
} from '../../src/agent/parts/maintenance/index.ts';

/** The Resources about the join token, in their two places in a plan. */
export interface TokenSteps {
  /** Before the service of K3s. */
  readonly before: readonly Resource[];
  readonly after: readonly Resource[];
  /** The ids of those for which the first start of K3s waits. */
  readonly needed: readonly string[];
}

export const noTokens: TokenSteps = { before: [], after: [], needed: [] };

/**
 * Plans the Resources that keep the join token, and on a server those that rotate it without a copy. `acting` is what
 * the process has seen of the Lease that decides which of several servers acts.
 */
export function tokenSteps(node: K3sNode, vault: Cloud, gate: Gate, acting: LeaseMemory): TokenSteps {
  const token = nonBlockingOnceJoined(node, joinToken(node, vault, []));
  if (node.role.k3s === 'agent') {
    const accepted = tokenAccepted(node, vault, [token.id]);
    const agreed = releaseAgreed(node, [accepted.id]);
    return { before: [token, accepted, agreed], after: [], needed: [token.id, accepted.id, agreed.id] };
  }
  const notice = rotationNotice;
  const name = (host: HostReader) => nameOfActing(host, node, acting);
  return {
    needed: [token.id],
    before: [token, startRepaired(node, vault, [])],
    after: [
      ...tokenFollowed(node, { cloud: vault, notice }, [token.id]),
      tokenRotated(node, { copy: async () => undefined, notice, acting: name }, [token.id]),
      asMaintenance(rotationRestart(node, { gate, notice }, [])),
      ...tokenShown(node, []),
      ownStart(node, gate, []),
      ...actingServer(node, acting, []),
      ...(isOnlyServer(node) ? [] : [noticeRemoved(node)]),
      releasePublished(node, []),
    ],
  };
}
