/**
 * The commands of `npm run lab -- COMMAND`, which change a running lab through a socket in its folder. `daemon`
 * replaces systemctl; the other commands replace clicks in the Azure portal.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Lab, LabRole } from './lab.ts';
import { loginServer } from './lab.ts';

type Control = (lab: Lab, args: readonly string[]) => string | Promise<string>;

export const usage = `npm run lab -- COMMAND, while npm start -- --keep runs:
  role NODE off|on       takes the role AcrPull from a VM's identity, or gives it back
  tag NODE NAME=VALUE            sets an instance tag
  secret NAME                    stores another random value in the vault
  registry closed|open           has the registry's firewall refuse this network, or no longer
  daemon NODE stop|start|reload  what systemctl does to slipway.service on a VM
`;

const controls: Readonly<Record<string, Control>> = {
  role(lab, [node, state]) {
    lab.azure.setRole(roleOf(node), 'AcrPull', loginServer, isOn(state, 'on', 'off'));
    return `AcrPull of vm-${node} on ${loginServer}: ${state}`;
  },
  tag(lab, [node, assignment = '']) {
    const [, name, value] = /^([^=]+)=(.*)$/.exec(assignment) ?? [];
    if (name === undefined || value === undefined) {
      throw new Error('A tag is NAME=VALUE.');
    }
    lab.azure.node(roleOf(node)).vm.tags[name] = value;
    return `vm-${node} has the tag ${name}=${value}`;
  },
  secret(lab, [name]) {
    if (!name) {
      throw new Error('Which secret? For example k3s-token.');
    }
    lab.azure.vault().set(name, randomBytes(24).toString('hex'));
    return `the secret ${name} has another value`;
  },
  registry(lab, [state]) {
    lab.azure.registry().closed = isOn(state, 'closed', 'open');
    return `${loginServer} is ${state}`;
  },
  async daemon(lab, [name, state]) {
    const node = lab.node(roleOf(name));
    if (state === 'reload') {
      node.signal('SIGHUP');
    } else if (isOn(state, 'start', 'stop')) {
      node.start();
    } else {
      await node.stopDaemon();
    }
    return `the daemon of vm-${name}: ${state}`;
  },
};

function roleOf(name: string | undefined): LabRole {
  if (name === 'server' || name === 'agent' || name === 'observability') {
    return name;
  }
  throw new Error(`A node is server, agent or observability, not ${name ?? 'nothing'}.`);
}

function isOn(state: string | undefined, on: string, off: string): boolean {
  if (state === on || state === off) {
    return state === on;
  }
  throw new Error(`It takes ${on} or ${off}, not ${state ?? 'nothing'}.`);
}

const socketName = 'lab.sock';

/** Accepts commands for a running lab until `close` is called. */
export async function serveControls(lab: Lab, dir: string): Promise<{ close(): Promise<void> }> {
  const path = join(dir, socketName);
  rmSync(path, { force: true });
  const server = createServer({ allowHalfOpen: true }, async (socket) => {
    socket.end(await answer(lab, JSON.parse(await text(socket))));
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

async function answer(lab: Lab, [command = '', ...args]: readonly string[]): Promise<string> {
  const control = Object.hasOwn(controls, command) ? controls[command] : undefined;
  if (!control) {
    return `There is no ${command || 'empty command'}.\n${usage}`;
  }
  try {
    return `${await control(lab, args)}\n`;
  } catch (thrown) {
    return `${thrown instanceof Error ? thrown.message : thrown}\n${usage}`;
  }
}

/** Sends a command to the running lab in `dir`; resolves to the answer, rejects if no lab listens there. */
export async function control(dir: string, args: readonly string[]): Promise<string> {
  const socket = connect({ path: join(dir, socketName), allowHalfOpen: true });
  await once(socket, 'connect');
  socket.end(JSON.stringify(args));
  return text(socket);
}
