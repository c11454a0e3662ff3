import type { Cloud } from '../clouds/cloud.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { GitOps } from './gitops.ts';

/**
 * All that is particular about one GitOps engine. Its name is its key in the table of engines (`index.ts`); whatever
 * depends on the engine derives from that table.
 */
export interface GitOpsEngine<Schema extends SectionSchema = SectionSchema> {
  /** Its section of the settings, `gitops.NAME`, whose rules hold while it is in use; absent if there is nothing to set. */
  readonly settings?: SettingsSection<Schema>;
  /** What it installs beside K3s. It runs on without Slipway, so an uninstall leaves it and names it. */
  readonly programs: readonly string[];
  /** Names the secrets of the vault that it reads. */
  secrets(settings: Section<Schema>): readonly string[];
  /** Makes the adapter. NodeErrors: `InvalidSettings` if the section lacks what an engine in use needs. */
  create(ground: GitOpsGround<Section<Schema>>): GitOps;
}

/** What an adapter is made of. */
export interface GitOpsGround<Settings> {
  readonly settings: Settings;
  /** Whose vault holds the secrets. */
  readonly cloud: Pick<Cloud, 'secret'>;
}
