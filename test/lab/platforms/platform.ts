import type { Controls } from '../controls.ts';
import type { LabCloud } from '../lab-clouds.ts';
import type { LabOn, RunOptions } from '../running-lab.ts';

/** A platform that the lab brings up on one machine, from the platform's example settings. */
export interface Platform {
  /** The name on the command line. */
  readonly name: string;
  /** What the lab starts, for the first line of its output. */
  readonly summary: string;
  /** The values that --joined-by accepts, the default first; empty if there is only one way to join the nodes. */
  readonly joinedBy: readonly string[];
  /** A sentence about what the reader can do while the lab keeps running. */
  readonly next: string;
  /** Prepares the nodes and starts everything except the daemons, which `lab.start()` starts. */
  start(options: PlatformOptions): Promise<RunningPlatform>;
}

export interface PlatformOptions extends RunOptions {
  /** One of the platform's `joinedBy` values; by default the first. */
  readonly joinedBy?: string;
}

export interface RunningPlatform {
  readonly lab: LabOn<LabCloud>;
  /** The milliseconds within which all nodes are Ready; three minutes by default (limits.ts). */
  readonly readyWithin?: number;
  /** The commands of `npm run lab -- COMMAND` that only this platform has. */
  readonly controls: Controls;
  /**
   * Shows what is specific to the platform; rejects if a node lacks an expected fact. Requires every node to be Ready.
   */
  show(say: (text: string) => void): Promise<void>;
}
