import { argocd } from './argocd/argocd.ts';
import type { GitOpsEngine } from './engine.ts';
import { flux } from './flux/flux.ts';
import { none } from './none.ts';

/** A table of engines by name, such as `gitOpsEngines`. */
export type GitOpsEngines = Readonly<Record<string, GitOpsEngine>>;

/** Every GitOps engine. All code about engines and their settings derives from this table. */
export const gitOpsEngines = { none, flux, argocd } as const satisfies GitOpsEngines;
