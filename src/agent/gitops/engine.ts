import type { Vault } from '../clouds/cloud.ts';
import type { HostReader } from '../engine/host.ts';
import type { Section, SectionSchema, SettingsSection } from '../settings/section.ts';
import type { GitOps } from './gitops.ts';

/**
 * Everything specific to one GitOps engine. The engine's name is its key in the table of engines (`index.ts`); all code
 * about engines derives from that table.
 */
export interface GitOpsEngine<Schema extends SectionSchema = SectionSchema> {
  /**
   * The engine's settings section, `gitops.NAME`, whose rules apply while the engine is in use; absent if the engine
   * has no settings.
   */
  readonly settings?: SettingsSection<Schema>;
  /**
   * The programs that the engine installs in addition to K3s. An uninstall keeps and lists them, because they are
   * useful without Slipway.
   */
  readonly programs: readonly string[];
  /** Returns the names of the secrets that the engine reads from the vault. */
  secrets(settings: Section<Schema>): readonly string[];
  /** Returns the addresses that the engine needs, such as the Git host, as far as they are set; absent if none. */
  endpoints?(settings: Section<Schema>): readonly URL[];
  /** Makes the adapter. Throws `InvalidSettings` if the section lacks a setting that an engine in use needs. */
  create(ground: GitOpsGround<Section<Schema>>): GitOps;
  /**
   * Returns the lines about what the engine leaves in a cluster after Slipway is removed, each with the commands that
   * remove it. Throws if the API does not answer. Absent if the engine leaves only `programs`.
   */
  remains?(host: HostReader, kubeconfig: string): Promise<readonly string[]>;
}

/** The inputs from which an engine makes its adapter. */
export interface GitOpsGround<Settings> {
  readonly settings: Settings;
  /** The cloud whose vault contains the secrets. */
  readonly cloud: Vault;
  /** The interval, in milliseconds, at which a Secret in the cluster is compared with the vault. */
  readonly verifyEvery: number;
  /**
   * The path in `network.caFile`, if set. One of the CAs in that file may have signed the certificate of the Git host.
   */
  readonly caFile?: string | undefined;
}
