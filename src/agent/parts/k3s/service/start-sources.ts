import type { HostReader } from '../../../engine/host.ts';
import type { K3sNode } from '../../../node.ts';
import type { NodePaths } from '../../../paths.ts';

/** An input that K3s reads only when it starts. If the input has changed since then, K3s is restarted. */
export interface StartInput {
  /** The name of the input in the stamp of a start and in the drift of the service. */
  readonly name: string;
  /**
   * Returns the content of this input, which shows whether it has changed. If the content is unknown, returns
   * `undefined`, and K3s is not restarted. `notes` are the notes on the start that is being stamped or compared.
   */
  text(host: HostReader, paths: NodePaths, notes: StartNotes): Promise<string | undefined>;
  /**
   * Returns another content that the input may have had at the start. If it had this content, the input does not count
   * as changed.
   */
  formerly?(host: HostReader, paths: NodePaths): Promise<string>;
  /** True if K3s can start with the current input; otherwise K3s is not restarted for it. */
  isFit?(host: HostReader, node: StampedNode): Promise<boolean>;
  /** True if a running K3s no longer reads the input, so a change matters only while K3s starts. */
  readonly onlyWhileStarting?: true;
}

export type StampedNode = Pick<K3sNode, 'paths' | 'settings'>;

/** What is recorded about a start besides its inputs, by name; each value is a JSON value. */
export type StartNotes = Readonly<Record<string, unknown>>;

export interface StartNote {
  readonly name: string;
  read(host: HostReader, paths: NodePaths): Promise<unknown>;
}

/** A start of K3s, compared with the current inputs. */
export interface LookedAt {
  /** The notes on the start; `undefined` if the start has no stamp. */
  readonly notes: StartNotes | undefined;
  /** The names of the inputs that have changed since the start. */
  readonly changed: readonly string[];
}

/** The verdict of a part on a start of K3s. */
export interface StartVerdict {
  /** The changed inputs that do not cause a restart of K3s. */
  readonly spared: readonly string[];
  /** Remarks to add to the service's message while K3s runs from that start. */
  readonly remarks: readonly string[];
}

/** Everything that parts contribute to a start of K3s. */
export interface StartSources {
  /** The inputs, in the order in which the stamp lists them. */
  readonly inputs: readonly StartInput[];
  readonly notes: readonly StartNote[];
  readonly judge: (host: HostReader, node: K3sNode, start: LookedAt) => Promise<StartVerdict>;
}
