import type { CloudHints } from '../../../../clouds/driver.ts';
import type { Reason } from '../../../../engine/reasons.ts';

/** A line of the K3s log that explains why K3s does not start. */
export interface KnownLine {
  /** Matches the message of the line, unquoted and without the time and the level. */
  readonly pattern: RegExp;
  /** A whole line as K3s logs it. A test checks that no earlier entry matches this line. */
  readonly sample: string;
  readonly reason: Reason;
  /** The advice, in whole sentences. */
  readonly repair: string | ((hints: CloudHints) => string);
  /** `time` if the cause passes without a repair; otherwise a person must end it. */
  readonly endedBy?: 'time';
  /**
   * What the fault shows about the release of K3s: with `release`, this release does not run here with these settings,
   * and an earlier one may; with `elsewhere`, no release would start. If absent, only repeated exits of K3s show
   * whether the release is at fault.
   */
  readonly fault?: 'release' | 'elsewhere';
  /** True if a healthy server also logs the line at every start, so that the line explains nothing on a server. */
  readonly agentOnly?: true;
}
