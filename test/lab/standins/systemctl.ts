/**
 * A stand-in for `systemctl` of systemd 252. Knows the verbs and options that a node agent uses, and refuses any other
 * as systemd refuses an unknown one. The service manager of the same root does the work (test/lab/systemd.ts).
 */

import { ask } from '../systemd/socket.ts';
import { parseCommandLine } from './command-line.ts';

/** The socket of the service manager; defined when the stand-in is built. */
declare const LAB_SOCKET: string;

const verbs = [
  'start',
  'stop',
  'restart',
  'try-restart',
  'enable',
  'disable',
  'daemon-reload',
  'show',
  'is-active',
  'is-failed',
  'is-enabled',
  'is-system-running',
  'reset-failed',
];

void main();

async function main(): Promise<void> {
  const line = parseCommandLine(
    'systemctl',
    [
      { long: 'no-block' },
      { long: 'no-pager' },
      { long: 'no-ask-password' },
      { long: 'now' },
      { long: 'system' },
      { long: 'version' },
      { long: 'quiet', short: 'q' },
      { long: 'value' },
      { long: 'property', short: 'p', takes: 'value' },
    ],
    process.argv.slice(2),
  );
  if (line.has('version')) {
    return finish({ exitCode: 0, stdout: 'systemd 252 (slipway lab)\n', stderr: '' });
  }
  const [verb = '', ...units] = line.words;
  if (!verbs.includes(verb)) {
    return finish({ exitCode: 1, stdout: '', stderr: `Unknown command verb ${verb}.\n` });
  }
  const options = {
    noBlock: line.has('no-block'),
    now: line.has('now'),
    quiet: line.has('quiet'),
    value: line.has('value'),
    properties: line.values('property').flatMap((names) => names.split(',')),
  };
  try {
    finish(await ask(LAB_SOCKET, { op: 'systemctl', verb, units, options }));
  } catch {
    const stderr =
      "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n";
    finish({ exitCode: 1, stdout: '', stderr });
  }
}

function finish(reply: {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}): void {
  process.stdout.write(reply.stdout);
  process.stderr.write(reply.stderr);
  process.exitCode = reply.exitCode;
}
