/** Measures and ends processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Sample } from './measure.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * Returns the CPU time of all live threads of a process in milliseconds, with nanosecond resolution (proc: schedstat).
 */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

/**
 * Returns the memory of a process in megabytes: resident; proportional (shared pages divided); private; and the
 * anonymous part (proc_pid_smaps(5)).
 */
export function memoryOf(pid: number): Sample {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const of = (name: string) => (Number(new RegExp(`^${name}: +(\\d+)`, 'm').exec(rollup)?.[1]) * 1024) / 1e6;
  return {
    RSS: of('Rss'),
    PSS: of('Pss'),
    USS: of('Private_Clean') + of('Private_Dirty'),
    anonymous: of('Anonymous'),
  };
}

/**
 * Runs a command; resolves to its wall time, and to its CPU time with that of its children, in milliseconds. Rejects if
 * the command fails.
 */
export async function timed(command: readonly string[], env: Environment, stdin = ''): Promise<Sample> {
  // The `time` of bash prints milliseconds, without the time of bash itself.
  const script = 'TIMEFORMAT="%R %U %S"; exec 3>&2; time "$@" >/dev/null 2>&3';
  const child = spawn('bash', ['-c', script, 'bash', ...command], { env, stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  child.stdin.end(stdin);
  const [exitCode] = await once(child, 'close');
  const [wall = 0, user = 0, system = 0] = (said.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  if (exitCode !== 0) {
    throw new Error(`${command.join(' ')} ended with ${exitCode}: ${said}`);
  }
  return { wall: wall * 1e3, CPU: (user + system) * 1e3 };
}

/** Kills a measured process; resolves when it has exited. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  if (child.kill('SIGKILL')) {
    await gone;
  }
}
