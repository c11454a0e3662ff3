/** Other processes: their figures in /proc, and their end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Sample } from './measure.ts';

type Environment = Readonly<Record<string, string>>;

/** Processor time of all live threads of a process in milliseconds, with nanosecond resolution (proc: schedstat). */
export function cpuOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  const times = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'));
  return times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
}

/**
 * Memory of a process in megabytes: resident; proportional (shared pages divided); private; and the private part
 * without a file (proc_pid_smaps(5)).
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

/** Runs a command to its end; returns its wall time, and the processor time of it and its children. */
export async function timed(command: readonly string[], env: Environment, stdin = ''): Promise<Sample> {
  // bash, since its `time` has milliseconds; its own time is in neither figure.
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

/** Kills a measured process; resolves when it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  if (child.kill('SIGKILL')) {
    await gone;
  }
}
