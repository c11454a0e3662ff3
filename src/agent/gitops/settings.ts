import * as z from 'zod/mini';
import { about } from '../settings/about.ts';
import { type GitOpsEngines, gitOpsEngines } from './index.ts';
import { engineNames, engineSchemas } from './sections.ts';

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
