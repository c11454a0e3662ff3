import type { Controls } from '../controls.ts';
import type { LabCloud } from '../lab-clouds.ts';
import type { LabOn, RunOptions } from '../running-lab.ts';

/** A platform that the lab brings up on one machine, from the settings of the platform's examples. */
export interface Platform {
  /** The name on the command line. */
  readonly name: string;
  /** What the lab starts, for the first line of its output. */
  readonly summary: string;
  /** The values of --joined-by, the default first; empty if the nodes can be joined in one way only. */
  readonly joinedBy: readonly string[];
  /** A sentence about what the reader can do while the lab keeps running. */
  readonly next: string;
  /** Prepares the nodes and starts everything around them; the daemons start with `lab.start()`. */
  start(options: PlatformOptions): Promise<RunningPlatform>;
}

export interface PlatformOptions extends RunOptions {
  /** One of `joinedBy` of the platform; the default if absent. */
  readonly joinedBy?: string;
}

export interface RunningPlatform {
  readonly lab: LabOn<LabCloud>;
  /** What `npm run lab -- COMMAND` can change in addition to the commands that every platform has. */
  readonly controls: Controls;
  /** Shows what is particular to the platform, once every node is Ready; rejects if a node lacks an expected fact. */
  show(say: (text: string) => void): Promise<void>;
}
