/** Checks on the shell and the rights of the operator who runs a command, and the output for the operator. */
import { join } from 'node:path';
import { NodeError } from '../agent/engine/errors.ts';
import type { HostReader } from '../agent/engine/host.ts';
import { printableLine } from '../agent/engine/printable.ts';
import { complain, print } from '../agent/host/process/print.ts';
import { containerProcesses, isOfPods } from '../agent/parts/k3s/index.ts';
import type { NodePaths } from '../agent/paths.ts';
import { fileText } from '../agent/resources/file-text.ts';
import type { Tell } from './perform.ts';
import { daemonUnit } from './setup-paths.ts';

/** Prints to an operator what was done, on standard output, and what failed, on standard error. */
export const tell: Tell = {
  out: (line) => print(`${printableLine(line)}\n`),
  error: (line) => complain(`slipway: ${printableLine(line)}\n`),
};

/**
 * Throws `PermissionDenied` if the user is not root. Below another root, the file permissions decide instead. `does`
 * states what the command does, as a clause.
 */
export function requireRoot(
  command: string,
  root: string,
  { uid = process.getuid?.(), does = 'changes what only root may change' } = {},
): void {
  if (root !== '/' || uid === 0) {
    return;
  }
  throw new NodeError(
    'PermissionDenied',
    `slipway ${command} ${does}. Run it as root: sudo slipway ${command}.`,
  );
}

/**
 * Throws `CommandFailed` if this process belongs to the daemon's service: the command has to stop the service, and
 * systemd would then end this process too.
 */
export async function requireOwnShell(host: HostReader): Promise<void> {
  const groups = await fileText(host, '/proc/self/cgroup');
  if (!groups.split('\n').some((line) => line.endsWith(join('/', daemonUnit)))) {
    return;
  }
  throw new NodeError(
    'CommandFailed',
    `This was called from within ${daemonUnit}, which it has to stop first. Call it from a shell.`,
  );
}

/**
 * Throws `CommandFailed` if this process runs in a container of K3s, such as a debug pod: the command kills all
 * containers, and would end itself halfway.
 */
export async function requireOutsideContainers(host: HostReader, paths: NodePaths): Promise<void> {
  const own = Number.parseInt(await fileText(host, '/proc/self/stat'), 10);
  const groups = await fileText(host, '/proc/self/cgroup');
  if (!isOfPods(groups) && !(await containerProcesses(host, paths)).includes(own)) {
    return;
  }
  throw new NodeError(
    'CommandFailed',
    'This was called from within a container of K3s, and has to kill those: it would end itself half-way. Call it from a ' +
      'shell of the host, as by SSH or a console.',
  );
}
