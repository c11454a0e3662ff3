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

/** What is known of a node that is examined. */
export interface Examined {
  /** The machine itself. */
  readonly machine: HostReader;
  readonly measures: Measures;
  readonly paths: NodePaths;
  /** What needs settings; absent where these cannot be read, which the plan tells. */
  readonly configured:
    | { readonly settings: Settings; readonly host: Host; readonly cloud: Cloud }
    | undefined;
  /** Absent where it is not known yet what this node is to be. */
  readonly node: K3sNode | undefined;
}

/**
 * What belongs to a part: its vocabulary, and never an order. What a node has is planned in index.ts, and removed in
 * setup's steps; tests hold both against these records.
 */
export interface Part {
  /** The name of its folder. */
  readonly name: string;
  /** Its sections of the settings by name; settings/sections.ts has their order. */
  readonly settings: Sections;
  /** The conditions that its Resources report. */
  readonly conditions: readonly ConditionType[];
  /** Its own reasons, each with what it means. */
  readonly reasons: Readonly<Partial<Record<Reason, string>>>;
  /** What it asks consent for. */
  readonly consents: readonly Consent[];
  /** What K3s reads of it when it starts. */
  readonly startInputs: readonly { readonly name: string }[];
  /** Returns what `slipway doctor` asks about it, conditions apart, subject by subject. */
  probes(examined: Examined): readonly Probe[];
  /** Returns the files that Slipway writes for it on one node or another, and takes away. */
  owns(paths: NodePaths): readonly string[];
  /** Returns the places in `NodePaths` that K3s writes by itself, and that Slipway only reads. */
  reads(paths: NodePaths): readonly string[];
}
