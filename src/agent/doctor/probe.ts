import { oneLine } from '../engine/conditions.ts';
import { type NodeError, toNodeError } from '../engine/errors.ts';

export type Level = 'ok' | 'warning' | 'failure' | 'skipped';

/** The result of a probe. */
export interface Verdict {
  readonly level: Level;
  readonly message: string;
  /** The reason of the condition, if the daemon also reports this problem. */
  readonly reason?: string;
  /** The command, setting or role that repairs the problem, if the message does not name it. */
  readonly repair?: string;
}

/** The subjects of probes, in the order in which the doctor checks them. */
export const subjects = ['machine', 'network', 'cloud', 'node'] as const;

export type Subject = (typeof subjects)[number];

/** One check of this VM or of a service that it depends on. A probe changes nothing. */
export interface Probe {
  readonly about: Subject;
  readonly what: string;
  look(): Promise<Verdict>;
}

export interface Diagnosis extends Verdict {
  readonly about: Subject;
  readonly what: string;
  readonly milliseconds: number;
}

export interface Examination {
  /** Returns the time in epoch milliseconds. */
  readonly now: () => number;
  /** Receives each diagnosis as soon as its probe has ended. */
  readonly onDiagnosis?: (diagnosis: Diagnosis) => void;
}

/**
 * Runs the probes one after another, so that each measured time belongs to a single probe. If a probe throws, its
 * verdict comes from the error.
 */
export async function examine(
  probes: readonly Probe[],
  { now, onDiagnosis = () => {} }: Examination,
): Promise<readonly Diagnosis[]> {
  const diagnoses: Diagnosis[] = [];
  for (const { about, what, look } of probes) {
    const begun = now();
    const verdict = await look().catch((thrown) => trouble(toNodeError(thrown)));
    const message = oneLine(verdict.message);
    const diagnosis = { about, what, ...verdict, message, milliseconds: now() - begun };
    diagnoses.push(diagnosis);
    onDiagnosis(diagnosis);
  }
  return diagnoses;
}

/** Returns the verdict for an error: a failure if the error blocks dependants, otherwise a warning. */
export function trouble({
  reason,
  message,
  blocks,
}: Pick<NodeError, 'reason' | 'message' | 'blocks'>): Verdict {
  return { level: blocks ? 'failure' : 'warning', reason, message };
}

export function ok(message: string): Verdict {
  return { level: 'ok', message };
}

export function warning(message: string, repair?: string): Verdict {
  return { level: 'warning', message, ...(repair !== undefined && { repair }) };
}

export function failure(message: string, repair: string): Verdict {
  return { level: 'failure', message, repair };
}

export function skipped(message: string): Verdict {
  return { level: 'skipped', message };
}
