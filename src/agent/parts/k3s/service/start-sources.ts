import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';

/** An input that K3s reads only at its start: K3s is restarted if the input has changed since. */
export interface StartInput {
  /** The name of the input in the stamp of a start and in the drift of the service. */
  readonly name: string;
  /**
   * Returns the text of this input, which shows whether the input has changed; `undefined` if it is unknown, which
   * restarts nothing. `notes` are the notes of the start that is stamped or compared.
   */
  text(host: HostReader, paths: NodePaths, notes: StartNotes): Promise<string | undefined>;
  /** Returns another text that the input may have had at the start and that does not count as a change. */
  formerly?(host: HostReader, paths: NodePaths): Promise<string>;
  /** True if K3s can start with the current input; otherwise K3s is not restarted for it. */
  isFit?(host: HostReader, node: StampedNode): Promise<boolean>;
  /** True for an input that a running K3s no longer reads. */
  readonly onlyWhileStarting?: true;
}

export type StampedNode = Pick<K3sNode, 'paths' | 'settings'>;

/** The notes on a start besides its inputs, by name; each is a JSON value. */
export type StartNotes = Readonly<Record<string, unknown>>;

export interface StartNote {
  readonly name: string;
  read(host: HostReader, paths: NodePaths): Promise<unknown>;
}

/** A start of K3s, compared with the current inputs. */
export interface LookedAt {
  /** The notes of the start; `undefined` if it has no stamp. */
  readonly notes: StartNotes | undefined;
  /** The names of the inputs that have changed since the start. */
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
  /** The inputs, in the order in which the stamp lists them. */
  readonly inputs: readonly StartInput[];
  readonly notes: readonly StartNote[];
  readonly judge: (host: HostReader, node: K3sNode, start: LookedAt) => Promise<StartVerdict>;
}
