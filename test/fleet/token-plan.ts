import type { Cloud } from '../../src/agent/clouds/cloud.ts';
import type { Resource } from '../../src/agent/engine/resource.ts';
import type { K3sNode } from '../../src/agent/node.ts';
import type { Gate } from '../../src/agent/parts/k3s/gate.ts';
import {
  joinToken,
  nonBlockingOnceJoined,
  releaseAgreed,
  releasePublished,
  rotationRestart,
  startRepaired,
  tokenAccepted,
  tokenRotated,
} from '../../src/agent/parts/k3s/index.ts';
import { asMaintenance, rotationNotice } from '../../src/agent/parts/maintenance/index.ts';

/** The Resources about the join token, in their two places in a plan. */
export interface TokenSteps {
  /** Before the service of K3s. */
  readonly before: readonly Resource[];
  readonly after: readonly Resource[];
  /** The ids of those for which the first start of K3s waits. */
  readonly needed: readonly string[];
}

export const noTokens: TokenSteps = { before: [], after: [], needed: [] };

/** Plans the Resources that keep the join token, and on a server those that rotate it without a copy. */
export function tokenSteps(node: K3sNode, vault: Cloud, gate: Gate): TokenSteps {
  const token = nonBlockingOnceJoined(node, joinToken(node, vault, []));
  if (node.role.k3s === 'agent') {
    const accepted = tokenAccepted(node, vault, [token.id]);
    const agreed = releaseAgreed(node, [accepted.id]);
    return { before: [token, accepted, agreed], after: [], needed: [token.id, accepted.id, agreed.id] };
  }
  const notice = rotationNotice;
  return {
    needed: [token.id],
    before: [token, startRepaired(node, [])],
    after: [
      tokenRotated(node, { copy: async () => undefined, notice }, [token.id]),
      asMaintenance(rotationRestart(node, { gate, notice }, [])),
      releasePublished(node, []),
    ],
  };
}
