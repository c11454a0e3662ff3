import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { commandLine } from '../../engine/command-line.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Command, CommandResult } from '../../engine/host.ts';
import { reveal } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { longestTimer } from '../clock/clock.ts';
import { errnoOf } from '../files/file-errors.ts';
import { commandTimedOut, usualTimeout } from './command-failed.ts';

/** Milliseconds between SIGTERM and SIGKILL. */
const grace = 5_000;
/** The number of bytes that are kept from the end of each output. */
const outputLimit = 1024 * 1024;

/**
 * Runs a command in its own process group, with an empty stdin, and resolves with its output and exit code: 127 if the
 * program is not installed, 126 if it cannot be executed, 128 + n if signal n ended it.
 *
 * After the timeout, stops the whole group and throws `CommandTimedOut`. An aborted signal also stops the group; if the
 * signal was aborted before the start, throws its reason. Throws `CommandFailed` if the command contains a NUL
 * character or cannot be started for another reason.
 */
export async function execute(
  command: Command,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<CommandResult> {
  signal?.throwIfAborted();
  try {
    return await finishedChild(command, startChild(command, environment), signal);
  } catch (thrown) {
    return notStarted(command, thrown);
  }
}

/** Kills the process group of every running command; for use before this process exits. */
export function endChildren(): void {
  for (const child of running) {
    signalGroup(child, 'SIGKILL');
  }
}

const running = new Set<ChildProcess>();

type Child = ChildProcessByStdio<null, Readable, Readable>;

function startChild(command: Command, environment: Readonly<Record<string, string>>): Child {
  const env = { ...environment, ...revealedEnvironment(command.env) };
  refuseNul(command, env);
  return spawn(command.file, command.args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
}

/**
 * Throws `CommandFailed` if an argument or a variable contains a NUL character. Node's own error would quote the value.
 */
function refuseNul({ file, args }: Command, env: Readonly<Record<string, string>>): void {
  const texts = [
    ...args.map((value, index) => [`argument ${index + 1}`, value] as const),
    ...Object.entries(env).map(([name, value]) => [`the variable ${name}`, value] as const),
  ];
  const [where] = texts.find(([, value]) => value.includes('\0')) ?? [];
  if (where === undefined) {
    return;
  }
  throw new NodeError(
    'CommandFailed',
    `${file} was not started: ${where} holds a NUL character. If its text was saved as UTF-16, save it as UTF-8.`,
    forPerson,
  );
}

async function finishedChild(command: Command, child: Child, signal?: AbortSignal): Promise<CommandResult> {
  const printed = lastBytes(child.stdout);
  const complained = lastBytes(child.stderr);
  const limit = stopAfter(child, command.timeout ?? usualTimeout, signal);
  running.add(child);
  try {
    const exitCode = await exitOf(child, [child.stdout, child.stderr]);
    const result = { exitCode, stdout: printed(), stderr: complained() };
    if (limit.passed) {
      throw commandTimedOut(command, result);
    }
    return result;
  } finally {
    running.delete(child);
    limit.lift();
  }
}

function revealedEnvironment(env: Command['env'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, reveal(value)]));
}

function lastBytes(stream: Readable): () => string {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-outputLimit);
  });
  return () => kept.toString('utf8');
}

/** Resolves with the exit code after the command has ended and its output has been read. */
function exitOf(child: ChildProcess, pipes: readonly Readable[]): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => letGoOf(pipes));
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** Closes the pipes after one second, because a background process of the command may hold them open forever. */
function letGoOf(pipes: readonly Readable[]): void {
  setTimeout(() => {
    for (const pipe of pipes) {
      pipe.destroy();
    }
  }, 1_000).unref();
}

interface Limit {
  readonly passed: boolean;
  lift(): void;
}

function stopAfter(child: ChildProcess, timeout: number, signal?: AbortSignal): Limit {
  let passed = false;
  let force: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, 'SIGTERM');
    force ??= setTimeout(() => signalGroup(child, 'SIGKILL'), grace);
  };
  const request = setTimeout(
    () => {
      passed = true;
      stop();
    },
    Math.min(timeout, longestTimer),
  );
  signal?.addEventListener('abort', stop);
  return {
    get passed() {
      return passed;
    },
    lift() {
      signal?.removeEventListener('abort', stop);
      clearTimeout(request);
      if (force !== undefined) {
        clearTimeout(force);
        signalGroup(child, 'SIGKILL');
      }
    },
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, signal);
    }
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ESRCH') {
      throw thrown;
    }
  }
}

function notStarted(command: Command, thrown: unknown): CommandResult {
  switch (errnoOf(thrown)) {
    case 'ENOENT':
      return { exitCode: 127, stdout: '', stderr: `${command.file}: not found` };
    case 'EACCES':
      return { exitCode: 126, stdout: '', stderr: `${command.file}: permission denied` };
    default:
      if (thrown instanceof NodeError) {
        throw thrown;
      }
      throw new NodeError('CommandFailed', `${commandLine(command)} could not be started: ${thrown}`, {
        cause: thrown,
      });
  }
}
