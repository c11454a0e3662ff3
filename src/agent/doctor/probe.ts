import { oneLine } from '../engine/conditions.ts';
import { type NodeError, toNodeError } from '../engine/errors.ts';

export type Level = 'ok' | 'warning' | 'failure' | 'skipped';

/** The result of a probe. */
export interface Verdict {
  readonly level: Level;
  readonly message: string;
  /** The reason of the condition, if the daemon also reports this trouble. */
  readonly reason?: string;
  /** The command, setting or role that repairs it, if the message does not name it. */
  readonly repair?: string;
}

/** The subjects of probes, in the order in which the doctor checks them. */
export const subjects = ['machine', 'network', 'cloud', 'node'] as const;

export type Subject = (typeof subjects)[number];

/** One question about this VM or what it depends on. A probe changes nothing. */
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
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Called with each diagnosis as it comes. */
  readonly onDiagnosis?: (diagnosis: Diagnosis) => void;
}

/** Runs the probes one after another, so that a measured time belongs to one probe alone. */
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

/** Returns a failure, or a warning for what does not block. */
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
