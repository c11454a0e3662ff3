import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';

/** An input that K3s reads only at its start: K3s is restarted if the input has changed since. */
export interface StartInput {
  /** Its name in the stamp of a start and in the drift of the service. */
  readonly name: string;
  /**
   * Returns the text that shows a change of this input; `undefined` if it is unknown, which restarts nothing. `notes`
   * are those of the start that is stamped, or that runs.
   */
  text(host: HostReader, paths: NodePaths, notes: StartNotes): Promise<string | undefined>;
  /** Returns another text of the start that does not count as a change. */
  formerly?(host: HostReader, paths: NodePaths): Promise<string>;
  /** Returns whether K3s can start with the current input; if not, K3s is not restarted for it. */
  isFit?(host: HostReader, node: StampedNode): Promise<boolean>;
  /** True for an input that a running K3s no longer reads. */
  readonly onlyWhileStarting?: true;
}

export type StampedNode = Pick<K3sNode, 'paths' | 'settings'>;

/** Notes of a start beside its inputs, by name: JSON. */
export type StartNotes = Readonly<Record<string, unknown>>;

export interface StartNote {
  readonly name: string;
  read(host: HostReader, paths: NodePaths): Promise<unknown>;
}

/** A start of K3s, compared with the inputs now. */
export interface LookedAt {
  /** Absent if there is no stamp of this start. */
  readonly notes: StartNotes | undefined;
  /** The names of the inputs that have changed since. */
  readonly changed: readonly string[];
}

/** The verdict of a part on a start of K3s. */
export interface StartVerdict {
  /** The changed inputs for which K3s is not restarted. */
  readonly spared: readonly string[];
  /** Remarks for the message of a K3s that runs from that start. */
  readonly remarks: readonly string[];
}

/** Everything that parts contribute to a start of K3s. */
export interface StartSources {
  /** In the order in which the stamp has them. */
  readonly inputs: readonly StartInput[];
  readonly notes: readonly StartNote[];
  readonly judge: (host: HostReader, node: K3sNode, start: LookedAt) => Promise<StartVerdict>;
}
