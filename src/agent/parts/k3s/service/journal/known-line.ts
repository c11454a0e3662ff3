import type { CloudHints } from '../../../../clouds/driver.ts';
import type { Reason } from '../../../../engine/reasons.ts';

/** A line of K3s's log that says why K3s does not come up. */
export interface KnownLine {
  /** Is tried on what the line says: without time and level, and unquoted. */
  readonly pattern: RegExp;
  /** Such a line whole, as K3s logs it, which no entry above may match: a test looks for it. */
  readonly sample: string;
  readonly reason: Reason;
  /** What to do, in whole sentences. */
  readonly repair: string | ((hints: CloudHints) => string);
  /** A person, unless it passes without a repair. */
  readonly endedBy?: 'time';
  /** A server says it of itself in every start. */
  readonly agentOnly?: true;
}
