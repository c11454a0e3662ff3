import type { Cloud } from '../clouds/cloud.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { GitOps } from './gitops.ts';

/**
 * Everything particular to one GitOps engine. Its name is its key in the table of engines (`index.ts`); all code about
 * engines derives from that table.
 */
export interface GitOpsEngine<Schema extends SectionSchema = SectionSchema> {
  /**
   * Its section of the settings, `gitops.NAME`, whose rules apply while the engine is in use; absent if there is
   * nothing to set.
   */
  readonly settings?: SettingsSection<Schema>;
  /** The programs that it installs beside K3s. They run on without Slipway, so an uninstall leaves and lists them. */
  readonly programs: readonly string[];
  /** Returns the names of the vault's secrets that it reads. */
  secrets(settings: Section<Schema>): readonly string[];
  /** Makes the adapter. NodeErrors: `InvalidSettings` if the section lacks what an engine in use needs. */
  create(ground: GitOpsGround<Section<Schema>>): GitOps;
}

/** What an adapter needs. */
export interface GitOpsGround<Settings> {
  readonly settings: Settings;
  /** The cloud whose vault holds the secrets. */
  readonly cloud: Pick<Cloud, 'secret'>;
}
