import { nameOfActing } from '../acting.ts';
import type { Cloud } from '../clouds/cloud.ts';
import type { HostReader } from '../engine/host.ts';
import type { Resource } from '../engine/resource.ts';
import type { LeaseMemory } from '../kubernetes/lease.ts';
import type { K3sNode } from '../node.ts';
import {
  copyStep,
  type Gate,
  passwordsSaved,
  rotationRestart,
  tokenFollowed,
  tokenRotated,
  verifies,
} from './k3s/index.ts';
import { asMaintenance, rotationNotice, tokenShown, unlessHeld } from './maintenance/index.ts';

export interface RotationPorts {
  readonly gate: Gate;
  readonly cloud: Cloud;
  /** What this process has seen of the Lease that decides which server acts for the cluster. */
  readonly acting: LeaseMemory;
  /** Holds back the drift of a Resource that restarts K3s while K3s must not restart. */
  readonly starting: (resource: Resource) => Resource;
  readonly token: Resource;
  readonly service: Resource;
}

/**
 * Returns the steps of a rotation of the join token on a server; none on an agent, which fetches the new token once its
 * server refuses the old one. The caller must place these steps before the restart for changed inputs: their wish has
 * priority, and one restart serves both.
 */
export function rotationSteps(node: K3sNode, ports: RotationPorts): readonly Resource[] {
  const { gate, cloud, acting: memory, starting, token, service } = ports;
  if (!verifies(node, 'tokenRotated')) {
    return [];
  }
  const notice = rotationNotice;
  const acting = (host: HostReader) => nameOfActing(host, node, memory);
  return [
    ...tokenFollowed(node, { cloud, notice }, [token.id]),
    unlessHeld(node, tokenRotated(node, { copy: copyStep, notice, acting }, [token.id])),
    ...passwordsSaved(node, [service.id]),
    asMaintenance(starting(rotationRestart(node, { gate, notice }, [service.id]))),
    ...tokenShown(node, [service.id]),
  ];
}
