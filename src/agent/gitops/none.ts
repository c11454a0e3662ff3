import type { GitOpsEngine } from './engine.ts';
import type { GitOps } from './gitops.ts';

/** No GitOps: the server is left to its owner. */
export const none = {
  programs: [],
  secrets: () => [],
  create: (): GitOps => ({ name: 'none', warnings: [], resources: () => [] }),
} as const satisfies GitOpsEngine;
