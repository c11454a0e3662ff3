import { toNodeError } from '../agent/engine/errors.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { tellJournal } from '../launcher/stderr.ts';

/**
 * Ends this process for an uncaught error, with 1 and two lines: what happened, and, for a developer, in the journal at
 * priority debug, where. Node would print the stack and every property of the error, raw.
 */
export function endForUncaught(thrown: unknown): never {
  const { reason, message } = toNodeError(thrown);
  tellJournal(3, printableLine(`${reason}: ${message}`));
  tellJournal(7, printableLine(`it was thrown ${placeOf(thrown)}`));
  process.exit(1);
}

/** Returns the frames without the message before them, which may have lines of its own. */
function placeOf(thrown: unknown): string {
  const stack = thrown instanceof Error ? String(thrown.stack) : '';
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  return frames.map((line) => line.trim()).join(', ') || 'at a place that is not known';
}
