import { constants, openSync, readSync } from 'node:fs';

/** The bytes that are read at most. */
const limit = 1024 * 1024;

/** Milliseconds between two looks at an input that has nothing yet. */
const pause = 5;

/** Never notified, so a wait for it ends with its time. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * All of standard input; an Error where it is longer than 1 MiB, or leaves this process waiting when it is `deadline`
 * milliseconds old. What is there is read even later: a busy machine may take seconds to start a process.
 *
 * Read without a stream, which would take longer to load than the rest of a short command.
 */
export function readStdin(deadline: number): string {
  const input = openWithoutWaiting();
  const chunk = Buffer.allocUnsafe(64 * 1024);
  let text = Buffer.alloc(0);
  for (;;) {
    const length = readNow(input, chunk);
    if (length === 0) return text.toString('utf8');
    if (length === undefined) waitForInput(deadline);
    else text = Buffer.concat([text, chunk.subarray(0, length)]);
    if (text.length > limit) throw new Error('the request on stdin is longer than 1 MiB; kubelet sends less');
  }
}

function waitForInput(deadline: number): void {
  if (process.uptime() * 1_000 > deadline)
    throw new Error(`the request on stdin did not end within ${deadline / 1_000} s; close stdin after it`);
  Atomics.wait(never, 0, 0, pause);
}

/**
 * A read that waits cannot be cut off, so a pipe, which is what kubelet gives, is opened once more, not to wait
 * (open(2), O_NONBLOCK). A socket cannot be opened so, nor anything without /proc: they are waited for.
 */
function openWithoutWaiting(): number {
  try {
    return openSync('/proc/self/fd/0', constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return 0;
  }
}

/** Fills a chunk with what is there, so many bytes; 0 at the end, `undefined` where there is nothing yet. */
function readNow(input: number, chunk: Buffer): number | undefined {
  try {
    return readSync(input, chunk);
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EAGAIN') return undefined;
    throw thrown;
  }
}
