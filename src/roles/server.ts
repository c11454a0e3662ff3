import type { BuiltInRole } from './role.ts';

export const server = {
  name: 'server',
  summary: 'the control plane: API, datastore and GitOps bootstrap',
  k3s: 'server',
  labels: [],
  taints: [],
  gitops: true,
  memory: 2048,
} as const satisfies BuiltInRole;
