import type { Host } from '../../engine/host.ts';
import { printableLine } from '../../engine/printable.ts';
import { longestTimer } from '../clock/clock.ts';

/** Notifications of a service to systemd (sd_notify(3)). */
export interface Notifier {
  ready(): Promise<void>;
  /** Sets the status line that `systemctl status` shows, unless systemd already has this line. */
  status(line: string): Promise<void>;
  stopping(): Promise<void>;
  /**
   * Pings the watchdog twice per interval from now on, while `isAlive` returns true and the event loop does not hang.
   * Does nothing if systemd has set no interval.
   */
  startWatchdog(isAlive: () => boolean): void;
}

/**
 * Returns a message for each of systemd's variables NOTIFY_SOCKET and WATCHDOG_USEC that has an invalid value. The
 * message says what to do.
 */
export function notifyFaults({ NOTIFY_SOCKET, WATCHDOG_USEC }: NodeJS.ProcessEnv): readonly string[] {
  const isSocket = !NOTIFY_SOCKET || /^(?:[/@]|vsock:)/.test(NOTIFY_SOCKET);
  const isInterval = !WATCHDOG_USEC || /^\d+$/.test(WATCHDOG_USEC);
  return [
    ...(isSocket ? [] : ['NOTIFY_SOCKET is not the path of a socket, so systemd is not notified']),
    ...(isInterval ? [] : ['WATCHDOG_USEC is not a number of microseconds, so the watchdog gets no pings']),
  ].map(
    (fault) => `${fault}: remove the variable from the environment; systemd sets it itself if it needs it.`,
  );
}

/** Calls `call` every `milliseconds`, without keeping the process alive. */
export type Repeat = (call: () => void, milliseconds: number) => void;

/**
 * Makes a notifier that runs systemd-notify, because Node has no Unix datagram sockets. Outside systemd it does
 * nothing.
 *
 * Drops a notification that cannot be delivered. If the pings stop, systemd restarts the service.
 */
export function notifier(
  host: Pick<Host, 'query'>,
  env: NodeJS.ProcessEnv,
  repeat: Repeat = (call, milliseconds) => void setInterval(call, milliseconds).unref(),
): Notifier {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = env;
  let shown: string | undefined;
  /** Returns true if systemd-notify has delivered the notification. */
  const tell = async (...args: readonly string[]): Promise<boolean> => {
    if (!NOTIFY_SOCKET) {
      return true;
    }
    const command = { file: 'systemd-notify', args, env: { NOTIFY_SOCKET }, timeout: 5_000 };
    const result = await host.query(command).catch(() => undefined);
    return result?.exitCode === 0;
  };
  return {
    ready: async () => void (await tell('--ready')),
    async status(line) {
      if (line !== shown) {
        shown = (await tell(`--status=${printableLine(line)}`)) ? line : undefined;
      }
    },
    stopping: async () => void (await tell('STOPPING=1')),
    startWatchdog(isAlive) {
      const interval = Number(WATCHDOG_USEC) / 1_000;
      const ping = () => {
        if (isAlive()) {
          void tell('WATCHDOG=1');
        }
      };
      if (interval > 0) {
        repeat(ping, Math.min(interval / 2, longestTimer));
      }
    },
  };
}
