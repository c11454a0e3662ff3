import { constants, openSync, readSync } from 'node:fs';

/** The most bytes that are read. */
const limit = 1024 * 1024;

/** Milliseconds between two attempts to read from an input that is still empty. */
const pause = 5;

/** Never notified, so a wait for it lasts until its timeout. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Returns all of standard input. Throws an Error if it is longer than 1 MiB, or not at its end when this process is
 * `deadline` milliseconds old. Input that has arrived is read even later: a busy machine may take seconds to start a
 * process.
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
 * Opens standard input for reads that do not block. A blocking read cannot be cut off, so a pipe, which is what kubelet
 * gives, is opened again as non-blocking (open(2), O_NONBLOCK). That is not possible for a socket, nor without /proc:
 * those block.
 */
function openWithoutWaiting(): number {
  try {
    return openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return 0;
  }
}

/** Reads what has arrived into a chunk; returns its number of bytes, 0 at the end, `undefined` if nothing arrived. */
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
