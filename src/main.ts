/** The composition root: which command does what. Each is loaded when it is called, so that the daemon starts at once. */
import { type Commands, cli } from './agent/cli.ts';
import { toNodeError } from './agent/core/errors.ts';
import type { CachedLogins } from './agent/credential-provider/cached-logins.ts';
import { versionLine } from './version.ts';

/** Runs one command line, `process.argv` as Node gives it, and resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    return await cli(argv.slice(2), commands, { out, error });
  } catch (thrown) {
    const { reason, message } = toNodeError(thrown);
    error(`slipway: ${reason}: ${message}\n`);
    return 1;
  }
}

/** For kubelet's credential provider: the logins of a node, a usable one for `server` among them. */
export async function freshLogins(server: string, root: string): Promise<CachedLogins> {
  return (await import('./credential-provider.ts')).freshLogins(server, root);
}

const commands = {
  run: async (options) => (await import('./daemon.ts')).daemon(options),
  plan: async (options) => (await import('./show-plan.ts')).showPlan(options),
  apply: async (options) => (await import('./commands.ts')).apply(options),
  status: async (options) => (await import('./show-status.ts')).showStatus(options),
  doctor: async (options) => (await import('./show-doctor.ts')).doctor(options),
  config: async (options) => (await import('./commands.ts')).config(options),
  install: async (options) => (await import('./setup/install.ts')).install(options),
  uninstall: async (options) => (await import('./setup/uninstall.ts')).uninstall(options),
  killK3s: async (options) => (await import('./setup/uninstall.ts')).killK3s(options),
  uninstallK3s: async (options) => (await import('./setup/uninstall.ts')).uninstallK3s(options),
  stamp: async (options) => (await import('./commands.ts')).stampStart(options),
  async version() {
    out(`${versionLine}\n`);
    return 0;
  },
} satisfies Commands;

function out(text: string): void {
  process.stdout.write(text);
}

function error(text: string): void {
  process.stderr.write(text);
}
