import type { BuiltInRole } from './role.ts';

/**
 * The node through which a cluster is reached. It has no taint, so it also runs other pods; an ingress controller finds
 * it by its label.
 *
 * The role does not turn NAT on: `network.nat` does. NAT must start before the role is known, because a role comes from
 * the cloud, and no role knows the ranges of the private hosts. For the same reasons a role cannot ask for parts.
 */
export const ingress = {
  name: 'ingress',
  summary: 'a worker node that takes the traffic from outside',
  k3s: 'agent',
  labels: ['role=ingress'],
  taints: [],
  gitops: false,
  memory: 512,
} as const satisfies BuiltInRole;
