import type * as z from 'zod/mini';
import type { Cloud } from '../clouds/cloud.ts';
import type { Problem } from '../settings/problem.ts';
import type { DeepReadonlyInput } from '../settings/read-only.ts';
import type { Section, SectionSchema } from '../settings/section.ts';
import type { GitOps } from './gitops.ts';

/**
 * All that is particular about one GitOps engine. Its name is its key in the table of engines (`index.ts`); whatever
 * depends on the engine derives from that table.
 */
export interface GitOpsEngine<Schema extends SectionSchema = SectionSchema> {
  /** Its section of the settings, `gitops.NAME`; absent if there is nothing to set. */
  readonly section?: EngineSection<Schema>;
  /** What it installs beside K3s. It runs on without Slipway, so an uninstall leaves it and names it. */
  readonly programs: readonly string[];
  /** Names the secrets of the vault that it reads. */
  secrets(settings: Section<Schema>): readonly string[];
  /** Makes the adapter. NodeErrors: `InvalidSettings` if the section lacks what an engine in use needs. */
  create(ground: GitOpsGround<Section<Schema>>): GitOps;
}

export interface EngineSection<Schema extends SectionSchema = SectionSchema> {
  readonly schema: Schema;
  readonly defaults: DeepReadonlyInput<z.input<Schema>>;
  /** Lists what an engine in use lacks in the section as written, which may have other faults; paths begin in it. */
  misfits(written: Readonly<Record<string, unknown>>): readonly Problem[];
  /** The settings, each the key of a URL in the section, that must not be plain http, and what others could do. */
  readonly plainHttp: readonly { readonly setting: string; readonly risk: string }[];
}

/** What an adapter is made of. */
export interface GitOpsGround<Settings> {
  readonly settings: Settings;
  /** Whose vault holds the secrets. */
  readonly cloud: Pick<Cloud, 'secret'>;
}
