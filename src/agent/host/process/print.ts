import { writeSync } from 'node:fs';
import { NodeError } from '../../engine/errors.ts';
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

/** Thrown if the reader of standard output is gone: what is left to do has no reader. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/**
 * Prints to standard output, with no character that a terminal obeys. Throws `OutputClosed`, and a NodeError
 * `FileSystemError` if the text cannot be written for another reason, such as a full disk.
 */
export function print(text: string): void {
  printStyled(printable(text));
}

/** Prints text that has colours of ours in it and was made of printable data. */
export function printStyled(text: string): void {
  try {
    writeAll(1, text);
  } catch (thrown) {
    if (!outlives) throw outputError(errnoOf(thrown) ?? String(thrown));
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

function outputError(errno: string): Error {
  if (errno === 'EPIPE') return new OutputClosed();
  const message = `Standard output cannot be written: ${errno}. Make room, or write elsewhere.`;
  return new NodeError('FileSystemError', message);
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
