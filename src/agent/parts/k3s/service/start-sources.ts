import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';

/** What K3s reads at its start, and only then: K3s is restarted if it differs from what the start was made of. */
export interface StartInput {
  /** What the stamp of a start and the drift of the service call it. */
  readonly name: string;
  /**
   * Returns the text by which a change of this input is seen; `undefined` if it cannot be known, which restarts
   * nothing. `notes` are those of the start that is stamped, or that runs.
   */
  text(host: HostReader, paths: NodePaths, notes: StartNotes): Promise<string | undefined>;
  /** Returns the text that it may have had at the start without having changed since. */
  formerly?(host: HostReader, paths: NodePaths): Promise<string>;
  /** Returns whether K3s can start with what is there now; if not, it is not restarted for it. */
  isFit?(host: HostReader, node: StampedNode): Promise<boolean>;
  /** True for what a running K3s no longer reads. */
  readonly onlyWhileStarting?: true;
}

export type StampedNode = Pick<K3sNode, 'paths' | 'settings'>;

/** What the stamp of a start notes beside its inputs, by name: JSON. */
export type StartNotes = Readonly<Record<string, unknown>>;

export interface StartNote {
  readonly name: string;
  read(host: HostReader, paths: NodePaths): Promise<unknown>;
}

/** A start of K3s, looked at since. */
export interface LookedAt {
  /** Absent if there is no stamp of this start. */
  readonly notes: StartNotes | undefined;
  /** The names of the inputs that have changed since. */
  readonly changed: readonly string[];
}

/** What a part makes of a start of K3s. */
export interface StartVerdict {
  /** Of the changed inputs, those for which K3s is not restarted. */
  readonly spared: readonly string[];
  /** Remarks for the message of a K3s that runs from that start. */
  readonly remarks: readonly string[];
}

/** All that parts have to do with a start of K3s. */
export interface StartSources {
  /** In the order in which the stamp has them. */
  readonly inputs: readonly StartInput[];
  readonly notes: readonly StartNote[];
  readonly judge: (host: HostReader, node: K3sNode, start: LookedAt) => Promise<StartVerdict>;
}
