import type { BuiltInRole } from './role.ts';

export const observability = {
  name: 'observability',
  summary: 'a worker node kept for metrics, logs and dashboards',
  k3s: 'agent',
  labels: ['role=observability'],
  taints: ['observability=true:NoSchedule'],
  gitops: false,
  memory: 512,
} as const satisfies BuiltInRole;
