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

/** The node to examine. */
export interface Examined {
  /** The machine itself. */
  readonly machine: HostReader;
  readonly measures: Measures;
  readonly paths: NodePaths;
  /** What depends on settings; absent if they cannot be read, which the plan reports. */
  readonly configured:
    | { readonly settings: Settings; readonly host: Host; readonly cloud: Cloud }
    | undefined;
  /** Absent while the role of this node is unknown. */
  readonly node: K3sNode | undefined;
}

/**
 * Everything that belongs to a part, in no particular order: index.ts plans its Resources, setup's steps remove them,
 * and tests compare both with these records.
 */
export interface Part {
  /** The name of its folder. */
  readonly name: string;
  /** Its sections of the settings by name; settings/sections.ts has their order. */
  readonly settings: Sections;
  /** The conditions that its Resources report. */
  readonly conditions: readonly ConditionType[];
  /** Its own reasons, each with its meaning. */
  readonly reasons: Readonly<Partial<Record<Reason, string>>>;
  /** The consents that it asks for. */
  readonly consents: readonly Consent[];
  /** Its inputs of a start of K3s. */
  readonly startInputs: readonly { readonly name: string }[];
  /** Returns its probes for `slipway doctor`, conditions apart, subject by subject. */
  probes(examined: Examined): readonly Probe[];
  /** Returns the files that Slipway writes for it on any kind of node, and removes. */
  owns(paths: NodePaths): readonly string[];
  /** Returns the places in `NodePaths` that K3s writes by itself, and that Slipway only reads. */
  reads(paths: NodePaths): readonly string[];
}
