/** A stand-in for `systemd-notify` of systemd 252, for services of the lab's service manager. */

import { ask } from '../systemd/socket.ts';
import { parseCommandLine } from './command-line.ts';

void main();

async function main(): Promise<void> {
  const line = parseCommandLine(
    'systemd-notify',
    [
      { long: 'ready' },
      { long: 'no-block' },
      { long: 'booted' },
      { long: 'status', takes: 'value' },
      { long: 'pid', takes: 'optional' },
    ],
    process.argv.slice(2),
  );
  if (line.has('booted')) {
    return;
  }
  const status = line.values('status').at(-1);
  const assignments = {
    ...(line.has('ready') ? { READY: '1' } : {}),
    ...(status === undefined ? {} : { STATUS: status }),
    ...Object.fromEntries(line.words.map((word) => word.split(/=(.*)/s).slice(0, 2))),
  };
  const socket = process.env.NOTIFY_SOCKET ?? '';
  try {
    if (socket === '') {
      throw new Error('$NOTIFY_SOCKET was not set');
    }
    await ask(socket, { op: 'notify', pid: process.pid, assignments });
  } catch (error) {
    process.stderr.write(`No status data could be sent: ${error instanceof Error ? error.message : error}\n`);
    process.exitCode = 1;
  }
}
