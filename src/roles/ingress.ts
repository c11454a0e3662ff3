import type { BuiltInRole } from './role.ts';

/**
 * The role of a node that takes traffic from outside the cluster. An ingress controller finds the node by its label.
 * Without a taint, the node also runs other pods.
 *
 * The setting `network.nat`, not the role, turns NAT on: NAT must start before the cloud reports the role, and no role
 * knows the ranges of the private hosts. For the same reasons, a role cannot select parts.
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
