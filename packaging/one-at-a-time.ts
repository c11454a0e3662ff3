import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';

/**
 * Waits until no other process on this machine runs work with the same name, then runs `work`.
 *
 * The lock is an abstract socket (unix(7)), which the kernel removes when the process ends.
 */
export async function oneAtATime(name: string, work: () => void): Promise<void> {
  const lock = createServer();
  while (!(await listens(lock, `\0${name}`))) {
    await setTimeout(200);
  }
  try {
    work();
  } finally {
    lock.close();
  }
}

async function listens(server: Server, address: string): Promise<boolean> {
  try {
    await once(server.listen(address), 'listening');
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EADDRINUSE') {
      return false;
    }
    throw thrown;
  }
}
