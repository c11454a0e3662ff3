import { constants, openSync, readSync } from 'node:fs';

/** The largest input, in bytes. */
const limit = 1024 * 1024;

/** The interval between two attempts to read from an empty input; milliseconds. */
const pause = 5;

/** An array that is never notified, so that a wait on it lasts until its timeout. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Returns all of standard input. Throws an Error if the input is longer than 1 MiB, or has not ended when this process
 * is `deadline` milliseconds old. Reads input that has already arrived even after the deadline: a busy machine may take
 * seconds to start a process.
 *
 * Reads without a stream, which would take longer to load than the rest of a short command.
 */
export function readStdin(deadline: number): string {
  const input = openWithoutWaiting();
  const chunk = Buffer.allocUnsafe(64 * 1024);
  let text = Buffer.alloc(0);
  for (;;) {
    const length = readNow(input, chunk);
    if (length === 0) {
      return text.toString('utf8');
    }
    if (length === undefined) {
      waitForInput(deadline);
    } else {
      text = Buffer.concat([text, chunk.subarray(0, length)]);
    }
    if (text.length > limit) {
      throw new Error('the request on stdin is longer than 1 MiB; kubelet sends less');
    }
  }
}

function waitForInput(deadline: number): void {
  if (process.uptime() * 1_000 > deadline) {
    throw new Error(`the request on stdin did not end within ${deadline / 1_000} s; close stdin after it`);
  }
  Atomics.wait(never, 0, 0, pause);
}

/**
 * Opens standard input for reads that do not block. A blocking read cannot be cancelled, so a pipe, which kubelet uses,
 * is opened again as non-blocking (open(2), O_NONBLOCK). A socket, or any input without /proc, cannot be opened again
 * and blocks.
 */
function openWithoutWaiting(): number {
  try {
    return openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return 0;
  }
}

/**
 * Reads the available input into a chunk. Returns the number of bytes, 0 at the end, `undefined` if nothing has
 * arrived.
 */
function readNow(input: number, chunk: Buffer): number | undefined {
  try {
    return readSync(input, chunk);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN') {
      return undefined;
    }
    throw thrown;
  }
}
