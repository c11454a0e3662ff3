import { writeSync } from 'node:fs';
import { NodeError } from '../../engine/errors.ts';
import { printable } from '../../engine/printable.ts';
import { errnoOf } from '../files/file-errors.ts';

/** Milliseconds without any progress of the reader, after which a process that outlives its output drops a text. */
const patience = 5_000;

let outlives = false;

/**
 * From now on, an unwritable standard output does not end the process: its text is dropped, and the next one tried
 * again. For commands that change the machine, which must not stop half-way because a reader is gone.
 */
export function outliveOutput(): void {
  outlives = true;
}

/** Thrown if the reader of standard output is gone, so that the caller can stop. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/**
 * Prints to standard output, without characters that control a terminal. Throws `OutputClosed`, and a NodeError
 * `FileSystemError` if the text cannot be written for another reason, such as a full disk.
 */
export function print(text: string): void {
  printStyled(printable(text));
}

/** Prints text with colours of ours that was made of printable data. */
export function printStyled(text: string): void {
  try {
    writeAll(1, text);
  } catch (thrown) {
    if (!outlives) {
      throw outputError(errnoOf(thrown) ?? String(thrown));
    }
  }
}

/** Prints to standard error, if that can be written. */
export function complain(text: string): void {
  try {
    writeAll(2, printable(text));
  } catch {
    // There is no place left to report it.
  }
}

function outputError(errno: string): Error {
  if (errno === 'EPIPE') {
    return new OutputClosed();
  }
  const message = `Standard output cannot be written: ${errno}. Make room, or write elsewhere.`;
  return new NodeError('FileSystemError', message);
}

/** Writes synchronously, so that the last line before an exit is not lost; waits for a slow reader (EAGAIN). */
function writeAll(fd: 1 | 2, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  let idleSince = performance.now();
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
      idleSince = performance.now();
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EAGAIN') {
        throw thrown;
      }
      if (outlives && performance.now() - idleSince > patience) {
        throw thrown;
      }
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}
