import { basename, join } from 'node:path';
import { NodeError } from '../../../engine/errors.ts';
import type { Command, Host, HostReader } from '../../../engine/host.ts';
import { inSync, type Resource } from '../../../engine/resource.ts';
import type { NodePaths } from '../../../paths.ts';
import { fileText } from '../../../resources/file-text.ts';

/** The maximum number of rounds that kill processes, and the milliseconds between two rounds. */
const rounds = 10;
const pause = 300;

export const processesEndedId = 'Ended/containers';

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly isPods: boolean;
  readonly isShim: boolean;
}

/**
 * Kills the containers of K3s, which outlive its unit because of KillMode=process.
 *
 * The processes are the shims of the K3s containerd with all their descendants, and everything in kubelet's control
 * group for pods, which also contains processes that lost their parent. Processes of another containerd keep running,
 * but lose their network if they use CNI (interfaces.ts, packet-filter.ts).
 */
export function processesEnded(paths: NodePaths, needs: readonly string[]): Resource {
  return {
    id: processesEndedId,
    summary: 'kill the containers of K3s',
    condition: 'K3sRunning',
    needs,
    async check(host) {
      const pids = await containerProcesses(host, paths);
      if (pids.length === 0) {
        return inSync();
      }
      const changes = [{ field: 'processes', observed: pids.join(' '), desired: undefined }];
      const summary = `kill the containers of K3s: ${pids.length} processes`;
      return { state: 'Drifted', drift: { changes, summary, remedy: (host) => killAll(host, paths) } };
    },
  };
}

/**
 * Kills all processes at once, and repeats this while any are left: a process may have started another one before it
 * was killed. Throws `CommandFailed` if some are left after the last round.
 */
async function killAll(host: Host, paths: NodePaths): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const pids = await containerProcesses(host, paths);
    if (pids.length === 0) {
      return;
    }
    await host.run(killCommand(pids));
    await host.sleep(pause);
  }
  const left = await containerProcesses(host, paths);
  if (left.length > 0) {
    throw notKilled(left);
  }
}

/**
 * Returns the command that kills the processes and ignores those that have ended. Uses the kill built into the shell,
 * since a minimal system has no kill program.
 */
function killCommand(pids: readonly number[]): Command {
  return { file: 'sh', args: ['-c', 'kill -KILL "$@" || :', 'sh', ...pids.map(String)] };
}

/** Returns the process ids of the containers of K3s, with all their descendants, in ascending order. */
export async function containerProcesses(host: HostReader, paths: NodePaths): Promise<readonly number[]> {
  const names = await host.list('/proc');
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => lookAt(host, paths, pid)));
  const all = found.filter((process) => process !== undefined);
  const wanted = new Set(all.filter(({ isPods, isShim }) => isPods || isShim).map(({ pid }) => pid));
  // The loop adds to the set that it iterates over, so that it also reaches the children of added processes.
  for (const parent of wanted) {
    for (const child of all) {
      if (child.parent === parent) {
        wanted.add(child.pid);
      }
    }
  }
  return [...wanted].sort((a, b) => a - b);
}

/** Returns the process; `undefined` if it has ended, even if its parent has not collected it yet (proc_pid_stat(5)). */
async function lookAt(host: HostReader, paths: NodePaths, pid: number): Promise<Process | undefined> {
  const read = (name: string) => fileText(host, `/proc/${pid}/${name}`);
  try {
    const [stat, command, group] = await Promise.all([read('stat'), read('cmdline'), read('cgroup')]);
    const [state = 'Z', parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X' || state === '') {
      return undefined;
    }
    return { pid, parent: Number(parent), isPods: isOfPods(group), isShim: isShim(command, paths) };
  } catch (thrown) {
    // The process ended during the check.
    if (thrown instanceof NodeError) {
      return undefined;
    }
    throw thrown;
  }
}

/**
 * True if the content of /proc/PID/cgroup names a control group of pods at the top of any hierarchy (cgroups(7)),
 * whether the systemd driver or cgroupfs named the group.
 */
export function isOfPods(group: string): boolean {
  return /^\d+:[^:]*:\/kubepods(\.slice)?\//m.test(group);
}

/** True for a shim that K3s unpacked, or that has an argument in the directory of the K3s containerd. */
function isShim(command: string, { root, k3s }: NodePaths): boolean {
  const [file = '', ...args] = command.split('\0');
  if (!basename(file).startsWith('containerd-shim')) {
    return false;
  }
  return (
    file.startsWith(`${k3s.data}/`) || args.some((each) => each.startsWith(join(root, 'run/k3s/containerd/')))
  );
}

function notKilled(pids: readonly number[]): NodeError {
  return new NodeError(
    'CommandFailed',
    `Processes of K3s' containers do not end: ${pids.join(' ')}. See what they wait for, for instance with ` +
      'cat /proc/PID/stack; if it is a dead disk or file server, only a reboot ends them.',
  );
}
