/**
 * The command `slipway run`: a service that reports readiness at once, and runs its loop until a signal or new settings
 * end it.
 */
import { alarm } from '../agent/alarm.ts';
import { acquireLock } from '../agent/host/files/lock.ts';
import { nodeHost } from '../agent/host/node-host.ts';
import { outliveOutput } from '../agent/host/process/print.ts';
import { onSignals } from '../agent/host/process/signals.ts';
import { notifier, notifyFaults } from '../agent/host/systemd/notify.ts';
import { nodePaths } from '../agent/paths.ts';
import { version } from '../launcher/version.ts';
import type { CommonOptions } from './cli-common.ts';
import { openLog } from './open-log.ts';

/** Runs the daemon until a signal or new settings end it; resolves to the exit code. */
export async function daemon(options: CommonOptions): Promise<number> {
  outliveOutput();
  const log = await openLog();
  const clock = alarm();
  const stopped = new AbortController();
  const stop = (by: string) => {
    if (stopped.signal.aborted) {
      return;
    }
    log.emit({ type: 'Stopped', by });
    stopped.abort();
    clock.ring(by);
  };
  const release = await acquireLock(nodePaths(options.root).slipway.lock, options.root);
  const systemd = notifier(nodeHost(), process.env);
  const endSoon = onSignals({ stop, reload: (signal) => clock.ring(signal) });
  log.emit({ type: 'Started', version, root: options.root });
  for (const message of notifyFaults(process.env)) {
    log.emit({ type: 'Warned', message });
  }
  // The start does not wait until systemd-notify has sent the notification.
  void systemd.ready();
  // The loop is the larger part of the program, so it is loaded only after the report of readiness.
  const { daemonLoop } = await import('./daemon-loop.ts');
  const stopSoon = (by: string) => {
    endSoon();
    stop(by);
  };
  await daemonLoop(options, { log, clock, signal: stopped.signal, stop: stopSoon, systemd });
  await systemd.stopping();
  await release();
  return 0;
}
