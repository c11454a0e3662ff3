import * as z from 'zod/mini';
import { type GitOpsEngines, gitOpsEngines } from '../../gitops/index.ts';
import { engineNames, engineSchemas } from '../../gitops/sections.ts';
import { about } from '../about.ts';

/** The section that chooses one of these engines, and has what each of them is told. */
export function gitOpsSection<Table extends GitOpsEngines>(table: Table) {
  return about(
    'To what a server hands over its cluster.',
    z.strictObject({
      engine: about('The GitOps engine.', z.enum(engineNames(table))),
      ...engineSchemas(table),
    }),
  );
}

export const gitops = gitOpsSection(gitOpsEngines);
