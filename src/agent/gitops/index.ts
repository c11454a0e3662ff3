import type { GitOpsEngine } from './engine.ts';
import { flux } from './flux/flux.ts';
import { none } from './none.ts';

/** Some engines by name: those below, or a test's own. */
export type GitOpsEngines = Readonly<Record<string, GitOpsEngine>>;

/** Every GitOps engine there is: what is in here has its settings, and is in every place that depends on the engine. */
export const gitOpsEngines = { none, flux } as const satisfies GitOpsEngines;
