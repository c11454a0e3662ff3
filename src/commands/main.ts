/**
 * The composition root: loads the implementation of a command when the command is called, so that the daemon starts at
 * once.
 */
import { stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { toNodeError } from '../agent/engine/errors.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { fileError } from '../agent/host/files/file-errors.ts';
import { complain, OutputClosed, print } from '../agent/host/process/print.ts';
import type { Logins } from '../agent/parts/registry/answer/logins.ts';
import { versionLine } from '../launcher/version.ts';
import { type Commands, cli } from './cli.ts';
import { misused } from './cli-forms.ts';

export { endForUncaught } from './uncaught-error.ts';

/** Runs one command line, `process.argv` as Node gives it, and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  hushWarnings();
  try {
    return await cli(argv.slice(2), commands, { out: print, error: complain });
  } catch (thrown) {
    // Shells report this exit code for a program that SIGPIPE ends.
    if (thrown instanceof OutputClosed) {
      return 128 + constants.signals.SIGPIPE;
    }
    const { reason, message } = toNodeError(thrown);
    // Invalid settings have one line for each problem; every other message is printed as one line.
    complain(`slipway: ${reason}: ${reason === 'InvalidSettings' ? message : printableLine(message)}\n`);
    return 1;
  }
}

/**
 * Makes Node print only the name of each warning, because the text may quote a line of a file that only root may read.
 */
function hushWarnings(): void {
  process.removeAllListeners('warning');
  process.on('warning', ({ name }) => complain(`slipway: a library warns of something: ${name}\n`));
}

/** Returns the node's logins for kubelet's credential provider, with a usable one for `server`. */
export async function freshLogins(server: string, root: string): Promise<Logins> {
  hushWarnings();
  return (await import('./credential-provider.ts')).freshLogins(server, root);
}

const commands = {
  enter,
  run: async (options) => (await import('./daemon.ts')).daemon(options),
  plan: async (options) => (await import('./show-plan.ts')).showPlan(options),
  apply: async (options) => (await import('./commands.ts')).apply(options),
  status: async (options) => (await import('./show-status.ts')).showStatus(options),
  doctor: async (options) => (await import('./show-doctor.ts')).doctor(options),
  config: async (options) => (await import('./commands.ts')).config(options),
  turn: async (options) => (await import('./turn.ts')).showTurns(options),
  orderTurn: async (options) => (await import('./turn.ts')).orderTurn(options),
  forgetNode: async (options) => (await import('./forget-node.ts')).forgetNode(options),
  leave: async (options) => (await import('./leave.ts')).leave(options),
  kubeconfig: async (options) => (await import('./kubeconfig.ts')).kubeconfig(options),
  backup: async (options) => (await import('./backup.ts')).backUp(options),
  listBackups: async (options) => (await import('./backup.ts')).listBackups(options),
  hold: async (options) => (await import('./hold.ts')).holdNode(options),
  install: async (options) => (await import('../setup/install.ts')).install(options),
  uninstall: async (options) => (await import('../setup/uninstall.ts')).uninstall(options),
  killK3s: async (options) => (await import('../setup/uninstall.ts')).killK3s(options),
  uninstallK3s: async (options) => (await import('../setup/uninstall.ts')).uninstallK3s(options),
  restore: async (options) => (await import('./restore.ts')).restore(options),
  database: async (work) => (await import('./database.ts')).database(work),
  stamp: async (options) => (await import('./commands.ts')).stampStart(options),
  async version() {
    print(`${versionLine}\n`);
    return 0;
  },
} satisfies Commands;

/**
 * Rejects a root that does not exist or is not a directory: after a typing mistake, `install` would create a folder,
 * and `uninstall` would find nothing to remove.
 */
async function enter(root: string): Promise<void> {
  const found = await stat(root).catch((thrown) => {
    if (thrown.code === 'ENOENT') {
      throw misused('--root', `${root} does not exist; make it, or correct the path.`);
    }
    throw fileError(thrown, 'enter --root', root);
  });
  if (!found.isDirectory()) {
    throw misused('--root', `${root} is not a directory; name one, or leave --root out.`);
  }
}
