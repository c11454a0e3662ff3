import { writeSync } from 'node:fs';
import { NodeError } from '../../engine/errors.ts';
import { printable } from '../../engine/printable.ts';
import { errnoOf } from '../files/file-errors.ts';

/** After `outliveOutput`, a text is dropped if its reader makes no progress for this many milliseconds. */
const patience = 5_000;

let outlives = false;

/**
 * Makes this process survive an unwritable standard output: `print` drops a text that cannot be written, and tries
 * again with the next text. Commands that change the machine use this, because they must not stop half-way when a
 * reader is gone.
 */
export function outliveOutput(): void {
  outlives = true;
}

/** The error that `print` throws if the reader of standard output is gone, so that the caller can stop. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/**
 * Prints to standard output; escapes characters that control a terminal. Unless `outliveOutput` was called, throws
 * `OutputClosed` if the reader is gone, and `FileSystemError` if the text cannot be written for another reason, such as
 * a full disk.
 */
export function print(text: string): void {
  printStyled(printable(text));
}

/**
 * Prints text unescaped, so that it may contain Slipway's own colours; data in the text must already be printable.
 * Throws the errors of `print`.
 */
export function printStyled(text: string): void {
  try {
    writeAll(1, text);
  } catch (thrown) {
    if (!outlives) {
      throw outputError(errnoOf(thrown) ?? String(thrown));
    }
  }
}

/** Prints to standard error; ignores a failure. */
export function complain(text: string): void {
  try {
    writeAll(2, printable(text));
  } catch {
    // The failure cannot be reported anywhere.
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
