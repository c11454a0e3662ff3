import type { GitOpsEngine } from './engine.ts';
import { flux } from './flux/flux.ts';
import { none } from './none.ts';

/** Some engines by name: those below, or a test's own. */
export type GitOpsEngines = Readonly<Record<string, GitOpsEngine>>;

/** Every GitOps engine. An entry here adds the engine's settings, and the engine to every place that depends on it. */
export const gitOpsEngines = { none, flux } as const satisfies GitOpsEngines;
