/**
 * Creates roots with settings, and with scripts that exit at once in place of K3s, systemctl and systemd-notify, so
 * that only Slipway is measured.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, constants, cpSync, mkdirSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { dirname, join } from 'node:path';

export interface BareNode {
  readonly root: string;
  readonly environment: Readonly<Record<string, string>>;
  remove(): void;
}

export interface Bareness {
  /** The folder that contains all roots. */
  readonly dir: string;
  /** The path of a lab node's settings file, which is copied into each root. */
  readonly settings: string;
  readonly notifySocket: string;
}

let made = 0;

export function bareNode({ dir, settings, notifySocket }: Bareness): BareNode {
  made += 1;
  const root = join(dir, `bare-${made}`);
  const path = join(dir, 'programs');
  mkdirSync(join(root, 'etc/slipway'), { recursive: true });
  cpSync(settings, join(root, 'etc/slipway/config.yaml'));
  program(join(root, 'usr/local/bin/k3s'), "echo 'k3s version v1.36.3+k3s1 (00000000)'");
  program(join(path, 'systemctl'), 'exit 0');
  // The real systemd-notify also only sends a message. A pipe replaces the socket: Node cannot receive Unix datagrams.
  program(join(path, 'systemd-notify'), 'echo "$*" >"$NOTIFY_SOCKET"');
  return {
    root,
    environment: { PATH: `${path}:/usr/bin:/bin`, HOME: root, NOTIFY_SOCKET: notifySocket },
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function program(path: string, script: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

/** The notifications of services, read from a named pipe in place of systemd's socket. */
export class Notifications {
  readonly path: string;
  readonly #descriptor: number;
  readonly #socket: Socket;
  #waiting: { readonly text: string; readonly resolve: () => void } | undefined;

  constructor(dir: string) {
    this.path = join(dir, 'notify');
    execFileSync('mkfifo', [this.path]);
    // The pipe is opened for writing too, so that reading does not end when a writer exits.
    this.#descriptor = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = new Socket({ fd: this.#descriptor, readable: true, writable: false });
    this.#socket.on('data', (data) => {
      if (this.#waiting && String(data).includes(this.#waiting.text)) {
        this.#waiting.resolve();
      }
    });
  }

  /** Resolves when a service sends a message that contains `text`. Only the promise of the latest call can resolve. */
  next(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { text, resolve };
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
