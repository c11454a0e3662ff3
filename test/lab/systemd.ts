/**
 * A service manager for one root, in place of systemd: a long-running process beside the node's daemon.
 *
 *     node test/lab/systemd.ts ROOT BINDIR SOCKET
 *
 * Stops its services, kills adopted processes and exits on SIGTERM or when its stdin closes, so that a lab that dies
 * leaves no process behind.
 */
import { rmSync } from 'node:fs';
import { openJournal } from './systemd/journal.ts';
import { type Reply, type Request, serve } from './systemd/socket.ts';
import { Manager } from './systemd/verbs.ts';

const [root = '', binDir = '', socket = ''] = process.argv.slice(2);
const journal = openJournal(root);
const manager = new Manager({ root, binDir, notifySocket: socket, journal });
const adopted = new Set<number>();
let ending = false;

rmSync(socket, { force: true });
serve(socket, answer).once('listening', () => {
  manager.boot();
  process.stdout.write('ready\n');
});
process.stdin.resume().once('end', end);
process.once('SIGTERM', end);
process.once('SIGINT', () => undefined);

async function answer(request: Request): Promise<Reply> {
  const done = { exitCode: 0, stdout: '', stderr: '' };
  if (request.op === 'systemctl') {
    return await manager.systemctl(request.verb, request.units, request.options);
  }
  if (request.op === 'notify') {
    manager.notified(request.pid, request.assignments);
  } else {
    adopted.add(request.pid);
  }
  return done;
}

async function end(): Promise<void> {
  if (ending) {
    return;
  }
  ending = true;
  for (const pid of adopted) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // The adopted process has already ended.
    }
  }
  const patience = setTimeout(() => {
    manager.killAll();
    process.exit(0);
  }, 3_000);
  await manager.stopAll();
  clearTimeout(patience);
  rmSync(socket, { force: true });
  process.exit(0);
}
