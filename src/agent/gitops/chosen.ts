import { entryOf } from '../settings/choice.ts';
import type { GitOpsGround } from './engine.ts';
import type { GitOps } from './gitops.ts';
import { type GitOpsEngines, gitOpsEngines } from './index.ts';

/** The settings of the section `gitops` that choose an engine, and the section of that engine. */
export type Choosing = { readonly engine: string } & Readonly<Record<string, unknown>>;

export interface ChosenEngine {
  /** The names of the secrets that the engine reads from the vault. */
  readonly secrets: readonly string[];
  create(ground: Omit<GitOpsGround<unknown>, 'settings'>): GitOps;
}

/** Returns the programs that all engines install beside K3s. */
export function enginePrograms(table: GitOpsEngines = gitOpsEngines): readonly string[] {
  return Object.values(table).flatMap(({ programs }) => programs);
}

/** Returns the engine that the settings name, applied to that engine's section. */
export function chosenEngine(gitops: Choosing, table: GitOpsEngines = gitOpsEngines): ChosenEngine {
  const engine = entryOf(table, gitops.engine, 'GitOps engine');
  const settings = Object(gitops[gitops.engine]);
  return {
    secrets: engine.secrets(settings),
    create: (ground) => engine.create({ ...ground, settings }),
  };
}
