import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { printable } from '../../engine/printable.ts';
import { errnoOf } from '../files/file-errors.ts';

/** Milliseconds without a reader that takes anything, after which a process that outlives its output drops a text. */
const patience = 5_000;

let outlives = false;

/**
 * From now on a standard output that cannot be written does not end the process: what it had to say is dropped, and
 * the next text tried again. For what changes the machine, which is not to be left because a reader is gone.
 */
export function outliveOutput(): void {
  outlives = true;
}

/**
 * Prints to standard output, with no character that a terminal obeys.
 *
 * A reader that is gone ends the process quietly, as SIGPIPE ends other tools (128 + 13); a full disk ends it with 1
 * and a message.
 */
export function print(text: string): void {
  printStyled(printable(text));
}

/** Prints text that has colours of ours in it and was made of printable data. */
export function printStyled(text: string): void {
  try {
    writeAll(1, text);
  } catch (thrown) {
    if (!outlives) endFor(errnoOf(thrown) ?? String(thrown));
  }
}

/** Prints to standard error, if that can be written. */
export function complain(text: string): void {
  try {
    writeAll(2, printable(text));
  } catch {
    // There is no place left to say so.
  }
}

function endFor(errno: string): never {
  if (errno === 'EPIPE') process.exit(128 + constants.signals.SIGPIPE);
  complain(
    `slipway: FileSystemError: Standard output cannot be written: ${errno}. Make room, or write elsewhere.\n`,
  );
  process.exit(1);
}

/** Synchronously, so that the last line before an exit is not lost; waits for a reader that is slow (EAGAIN). */
function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  let idleSince = performance.now();
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
      idleSince = performance.now();
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EAGAIN') throw thrown;
      if (outlives && performance.now() - idleSince > patience) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
