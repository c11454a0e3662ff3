import type { Reason } from '../engine/reasons.ts';
import type { ConditionType } from '../engine/resource.ts';
import type { NodePaths } from '../paths.ts';
import type { Consent } from '../settings/consents.ts';

/**
 * What belongs to a part: its vocabulary, and never an order. What a node has is planned in index.ts, and removed in
 * setup's steps; tests hold both against these records.
 */
export interface Part {
  /** The name of its folder. */
  readonly name: string;
  /** The conditions that its Resources report. */
  readonly conditions: readonly ConditionType[];
  /** Its own reasons, each with what it means. */
  readonly reasons: Readonly<Partial<Record<Reason, string>>>;
  /** What it asks consent for. */
  readonly consents: readonly Consent[];
  /** What K3s reads of it when it starts. */
  readonly startInputs: readonly { readonly name: string }[];
  /** What `slipway doctor` asks about it, conditions apart; a word in capitals stands for what differs from node to node. */
  readonly probes: readonly string[];
  /** Returns the files that Slipway writes for it on one node or another, and takes away. */
  owns(paths: NodePaths): readonly string[];
  /** Returns the places in `NodePaths` that K3s writes by itself, and that Slipway only reads. */
  reads(paths: NodePaths): readonly string[];
}
