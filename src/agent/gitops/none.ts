import type { GitOps } from './gitops.ts';

/** No GitOps: the server is left to its owner. */
export function noGitOps(): GitOps {
  return { name: 'none', warnings: [], resources: () => [] };
}
