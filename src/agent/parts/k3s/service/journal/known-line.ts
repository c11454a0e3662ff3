import type { CloudHints } from '../../../../clouds/driver.ts';
import type { Reason } from '../../../../engine/reasons.ts';

/** A line of K3s's log that explains why K3s does not start. */
export interface KnownLine {
  /** Matches the message: without time and level, and unquoted. */
  readonly pattern: RegExp;
  /** A whole line as K3s logs it, which no entry above may match: a test checks this. */
  readonly sample: string;
  readonly reason: Reason;
  /** What to do, in whole sentences. */
  readonly repair: string | ((hints: CloudHints) => string);
  /** A person ends it, unless it passes without a repair. */
  readonly endedBy?: 'time';
  /** True for a line that every start of a server logs about itself. */
  readonly agentOnly?: true;
}
