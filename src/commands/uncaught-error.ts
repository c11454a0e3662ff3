import { toNodeError } from '../agent/engine/errors.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { tellJournal } from '../launcher/stderr.ts';

/**
 * Ends this process with exit code 1 after an uncaught error, and prints two lines: the message and, at priority debug,
 * the place where the error was thrown. Node would print the stack and every property of the error unfiltered.
 */
export function endForUncaught(thrown: unknown): never {
  const { reason, message } = toNodeError(thrown);
  tellJournal(3, printableLine(`${reason}: ${message}`));
  tellJournal(7, printableLine(`it was thrown ${placeOf(thrown)}`));
  process.exit(1);
}

/** Returns the stack frames of an error on one line, without its message, which may have several lines. */
function placeOf(thrown: unknown): string {
  const stack = thrown instanceof Error ? String(thrown.stack) : '';
  const frames = stack.split('\n').filter((line) => /^ +at /.test(line));
  return frames.map((line) => line.trim()).join(', ') || 'at a place that is not known';
}
