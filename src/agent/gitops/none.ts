import type { GitOpsEngine } from './engine.ts';
import type { GitOps } from './gitops.ts';

/** The engine for a server without GitOps; it plans no Resources. */
export const none = {
  programs: [],
  secrets: () => [],
  create: (): GitOps => ({ name: 'none', warnings: [], resources: () => [] }),
} as const satisfies GitOpsEngine;
