import { type GitOpsEngines, gitOpsEngines } from './index.ts';

/** What engines install beside K3s. */
export function enginePrograms(table: GitOpsEngines = gitOpsEngines): readonly string[] {
  return Object.values(table).flatMap(({ programs }) => programs);
}
