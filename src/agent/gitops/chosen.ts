import type { Vault } from '../clouds/cloud.ts';
import { NodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';
import { entryOf } from '../settings/choice.ts';
import type { GitOpsGround } from './engine.ts';
import type { GitOps } from './gitops.ts';
import { type GitOpsEngines, gitOpsEngines } from './index.ts';

/** The settings section `gitops`: the name of the chosen engine, and the sections of the engines. */
export type Choosing = { readonly engine: string } & Readonly<Record<string, unknown>>;

export interface ChosenEngine {
  /** The names of the secrets that the engine reads from the vault. */
  readonly secrets: readonly string[];
  /** The addresses that the engine needs, such as the Git host. */
  readonly endpoints: readonly URL[];
  create(ground: Omit<GitOpsGround<unknown>, 'settings'>): GitOps;
}

/** Returns the programs that any of the engines installs in addition to K3s. */
export function enginePrograms(table: GitOpsEngines = gitOpsEngines): readonly string[] {
  return Object.values(table).flatMap(({ programs }) => programs);
}

/**
 * Returns the lines about what the engines have left in the cluster of this kubeconfig. Skips an engine that cannot
 * read the cluster, for example because the API does not answer.
 */
export async function engineRemains(
  host: HostReader,
  kubeconfig: string,
  table: GitOpsEngines = gitOpsEngines,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { remains } of Object.values(table)) {
    lines.push(...((await remains?.(host, kubeconfig).catch(noneIfUnanswered)) ?? []));
  }
  return lines;
}

function noneIfUnanswered(thrown: unknown): readonly string[] {
  if (thrown instanceof NodeError) {
    return [];
  }
  throw thrown;
}

/** Returns the engine that the settings name, bound to its own section of the settings. */
export function chosenEngine(gitops: Choosing, table: GitOpsEngines = gitOpsEngines): ChosenEngine {
  const engine = entryOf(table, gitops.engine, 'GitOps engine');
  const settings = Object(gitops[gitops.engine]);
  return {
    secrets: engine.secrets(settings),
    endpoints: engine.endpoints?.(settings) ?? [],
    create: (ground) => engine.create({ ...ground, settings }),
  };
}

/** Returns the adapter for the GitOps engine that a node's settings choose. */
export function gitOpsOf({ gitops, workloads, network }: GitOpsSettings, cloud: Vault): GitOps {
  const { verifyEvery } = workloads;
  return chosenEngine(gitops).create({ cloud, verifyEvery, caFile: network.caFile });
}

/** The node settings that an adapter is made from. */
interface GitOpsSettings {
  readonly gitops: Choosing;
  readonly workloads: { readonly verifyEvery: number };
  readonly network: { readonly caFile?: string | undefined };
}
