import type { Cloud } from '../clouds/cloud.ts';
import type { Measures } from '../doctor/measures.ts';
import type { Probe } from '../doctor/probe.ts';
import type { Host, HostReader } from '../engine/host.ts';
import type { Reason } from '../engine/reasons.ts';
import type { ConditionType } from '../engine/resource.ts';
import type { K3sNode } from '../node.ts';
import type { NodePaths } from '../paths.ts';
import type { Consent } from '../settings/consents.ts';
import type { Settings } from '../settings/schema.ts';
import type { Sections } from '../settings/section.ts';

/** The input for the probes of a part. */
export interface Examined {
  /** Read access to the machine. */
  readonly machine: HostReader;
  readonly measures: Measures;
  readonly paths: NodePaths;
  /** The values that depend on settings; absent if the settings cannot be read, which the plan reports. */
  readonly configured:
    | {
        readonly settings: Settings;
        readonly host: Host;
        readonly cloud: Cloud;
        /** The URLs of the cloud's services; empty while they are unknown. */
        readonly endpoints: readonly URL[];
        /** Warnings about the choice of the cloud. */
        readonly cloudWarnings: readonly string[];
      }
    | undefined;
  /** The node; absent while its role is unknown. */
  readonly node: K3sNode | undefined;
}

/**
 * The record of everything that belongs to a part, in no particular order. `parts/index.ts` plans the Resources of
 * the part, and the uninstall steps in `src/setup` remove its files. Tests compare both with this record.
 */
export interface Part {
  /** The name of the folder of the part. */
  readonly name: string;
  /** The settings sections of the part, by name; settings/sections.ts defines their order. */
  readonly settings: Sections;
  /** The conditions that the Resources of the part report. */
  readonly conditions: readonly ConditionType[];
  /** The reasons of the part, each with its meaning. */
  readonly reasons: Readonly<Partial<Record<Reason, string>>>;
  /** The consents that the part may require. */
  readonly consents: readonly Consent[];
  /** The part's share of the values that K3s reads when it starts; a changed value calls for a restart. */
  readonly startInputs: readonly { readonly name: string }[];
  /**
   * Returns the part's probes for `slipway doctor`, grouped by subject. The doctor reports the part's conditions
   * separately.
   */
  probes(examined: Examined): readonly Probe[];
  /** Returns every file that Slipway writes for the part on a server or an agent; an uninstall removes these files. */
  owns(paths: NodePaths): readonly string[];
  /** Returns the part's paths in `NodePaths` that Slipway reads and only K3s writes. */
  reads(paths: NodePaths): readonly string[];
}
