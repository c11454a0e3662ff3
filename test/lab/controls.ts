/**
 * The commands of `npm run lab -- COMMAND`, which reach a running lab through a socket in the lab's folder. `daemon`
 * replaces systemctl; the commands that a platform adds replace clicks in a cloud's portal.
 */
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { LabCloud } from './lab-clouds.ts';
import type { LabOn } from './running-lab.ts';
import { publishRelease, wishRelease } from './wish.ts';

/**
 * The commands of a running lab by name. Each returns a line that reports its effect, and throws for invalid arguments.
 */
export type Controls = Readonly<Record<string, (args: readonly string[]) => string | Promise<string>>>;

/** Returns the commands that all platforms have in common. */
export function nodeControls(lab: LabOn<LabCloud>): Controls {
  return {
    async daemon([name = '', state]) {
      const node = lab.node(name);
      if (state === 'reload') {
        node.signal('SIGHUP');
      } else if (isOn(state, 'start', 'stop')) {
        node.start();
      } else {
        await node.stopDaemon();
      }
      return `the daemon of ${name}: ${state}`;
    },
    async upgrade([version = '', broken]) {
      if (!/^v\d+\.\d+\.\d+\+k3s\d+$/.test(version)) {
        throw new Error(`A release is one such as v1.36.5+k3s1, not ${version || 'nothing'}.`);
      }
      await publishRelease(lab, version, broken !== undefined && isOn(broken, 'broken', 'sound'));
      wishRelease(lab, version);
      return `every node wants K3s ${version}`;
    },
  };
}

/** Returns true if the state is the word in `on`, and false if it is the word in `off`; throws for any other state. */
export function isOn(state: string | undefined, on: string, off: string): boolean {
  if (state === on || state === off) {
    return state === on;
  }
  throw new Error(`It takes ${on} or ${off}, not ${state ?? 'nothing'}.`);
}

/** Returns the name and the value of an assignment NAME=VALUE; throws for any other string. */
export function assignmentOf(tag = ''): { readonly name: string; readonly value: string } {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(tag) ?? [];
  if (name === undefined || value === undefined) {
    throw new Error('A tag is NAME=VALUE.');
  }
  return { name, value };
}

const socketName = 'lab.sock';

/** Accepts commands through a socket in `dir`, until `close` is called. */
export async function serveControls(controls: Controls, dir: string): Promise<{ close(): Promise<void> }> {
  const path = join(dir, socketName);
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.end(await answer(controls, JSON.parse(await text(socket))));
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function answer(controls: Controls, [command = '', ...args]: readonly string[]): Promise<string> {
  const control = Object.hasOwn(controls, command) ? controls[command] : undefined;
  const known = `This lab knows ${Object.keys(controls).join(', ')}; npm run lab shows their arguments.\n`;
  if (!control) {
    return `There is no command ${command || 'without a name'}. ${known}`;
  }
  try {
    return `${await control(args)}\n`;
  } catch (thrown) {
    return `${thrown instanceof Error ? thrown.message : thrown} ${known}`;
  }
}

/** Sends a command to the running lab in `dir`; resolves to the answer, rejects if no lab listens there. */
export async function control(dir: string, args: readonly string[]): Promise<string> {
  const socket = connect({ path: join(dir, socketName), allowHalfOpen: true });
  await once(socket, 'connect');
  socket.end(JSON.stringify(args));
  return text(socket);
}
