import type { BuiltInRole } from './role.ts';

export const agent = {
  name: 'agent',
  summary: 'a worker node',
  k3s: 'agent',
  labels: [],
  taints: [],
  gitops: false,
  memory: 512,
} as const satisfies BuiltInRole;
