import type { Host } from '../../engine/host.ts';
import { printableLine } from '../../engine/printable.ts';
import { longestTimer } from '../clock/clock.ts';

/** What a service tells systemd (sd_notify(3)). */
export interface Notifier {
  ready(): Promise<void>;
  status(line: string): Promise<void>;
  stopping(): Promise<void>;
  /** Pings the watchdog from now on, twice in its interval, while `isAlive` and while the event loop does not hang. */
  startWatchdog(isAlive: () => boolean): void;
}

/** What is wrong with the variables that systemd sets for a service, each with the repair: what they are for is not done. */
export function notifyFaults({ NOTIFY_SOCKET, WATCHDOG_USEC }: NodeJS.ProcessEnv): readonly string[] {
  const isSocket = !NOTIFY_SOCKET || /^(?:[/@]|vsock:)/.test(NOTIFY_SOCKET);
  const isInterval = !WATCHDOG_USEC || /^\d+$/.test(WATCHDOG_USEC);
  return [
    ...(isSocket ? [] : ['NOTIFY_SOCKET is no path of a socket, so systemd is not told how it stands']),
    ...(isInterval ? [] : ['WATCHDOG_USEC is no number of microseconds, so no watchdog is told of life']),
  ].map(
    (fault) =>
      `${fault}: take the variable out of the environment; systemd sets it itself where it wants it.`,
  );
}

/** Calls back every so many milliseconds, and does not keep the process alive for it. */
export type Repeat = (call: () => void, milliseconds: number) => void;

/**
 * Tells systemd by its own program, since Node has no Unix datagram sockets. Outside systemd nothing is told.
 *
 * What cannot be delivered is dropped: systemd restarts a service whose pings stay away.
 */
export function notifier(
  host: Pick<Host, 'query'>,
  env: NodeJS.ProcessEnv,
  repeat: Repeat = (call, milliseconds) => void setInterval(call, milliseconds).unref(),
): Notifier {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = env;
  const tell = async (...args: readonly string[]) => {
    if (!NOTIFY_SOCKET) return;
    const command = { file: 'systemd-notify', args, env: { NOTIFY_SOCKET }, timeout: 5_000 };
    await host.query(command).catch(() => undefined);
  };
  return {
    ready: () => tell('--ready'),
    status: (line) => tell(`--status=${printableLine(line)}`),
    stopping: () => tell('STOPPING=1'),
    startWatchdog(isAlive) {
      const interval = Number(WATCHDOG_USEC) / 1_000;
      const ping = () => {
        if (isAlive()) void tell('WATCHDOG=1');
      };
      if (interval > 0) repeat(ping, Math.min(interval / 2, longestTimer));
    },
  };
}
