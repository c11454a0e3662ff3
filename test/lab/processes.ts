import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

/** The running processes that one lab has started. The lab ends only these. */
export class Processes {
  readonly #running = new Set<ChildProcess>();

  /** Starts a program with exactly this environment. */
  start(file: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn(file, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#running.add(child);
    child.once('exit', () => this.#running.delete(child));
    return child;
  }

  /** The IDs of the running processes. */
  get ids(): readonly number[] {
    return [...this.#running].flatMap(({ pid }) => pid ?? []);
  }
}

/**
 * Closes a child's stdin and sends the signal, then SIGKILL if the child still runs after 15 seconds. Resolves when the
 * child has exited.
 */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = once(child, 'close');
  child.stdin?.end();
  child.kill(signal);
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000);
  await ended;
  clearTimeout(patience);
}

export interface Finished {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a program; resolves to its exit code and output. Rejects if the program cannot start or is killed by a signal.
 */
export async function runProgram(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Finished> {
  try {
    const { stdout, stderr } = await promisify(execFile)(file, args, { env, maxBuffer: 64 * 1024 * 1024 });
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number; stdout?: string; stderr?: string };
    if (typeof code !== 'number') {
      throw error;
    }
    return { exitCode: code, stdout, stderr };
  }
}
