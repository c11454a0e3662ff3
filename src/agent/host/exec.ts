import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { commandLine } from '../core/command-line.ts';
import { NodeError } from '../core/errors.ts';
import type { Command, CommandResult } from '../core/host.ts';
import { reveal } from '../core/secret.ts';
import { errnoOf } from './file-errors.ts';

/** Milliseconds between the request to end and the end by force. */
const grace = 5_000;
/** Bytes of each output that are kept: the last ones. */
const outputLimit = 1024 * 1024;

/**
 * Runs a command in a process group of its own, stdin closed, and tells how it ended: 127 where the program is not
 * installed, 126 where it cannot be executed, 128 + n where signal n ended it.
 *
 * After its time the whole group is stopped and `CommandTimedOut` thrown. `stdout` is a file descriptor to write to
 * in place of the result.
 */
export async function execute(
  command: Command,
  environment: Readonly<Record<string, string>>,
  stdout?: number,
): Promise<CommandResult> {
  const child = spawn(command.file, command.args, {
    env: { ...environment, ...revealed(command.env) },
    stdio: ['ignore', stdout ?? 'pipe', 'pipe'],
    detached: true,
  });
  const printed = tail(child.stdout);
  const complained = tail(child.stderr);
  const limit = stopAfter(child, command.timeout ?? 30_000);
  try {
    const exitCode = await ended(child);
    if (limit.passed) throw timedOut(command);
    return { exitCode, stdout: printed(), stderr: complained() };
  } catch (thrown) {
    return notStarted(command, thrown);
  } finally {
    limit.lift();
  }
}

function revealed(env: Command['env'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, reveal(value)]));
}

function tail(stream: Readable | null): () => string {
  let kept = Buffer.alloc(0);
  stream?.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]).subarray(-outputLimit);
  });
  return () => kept.toString('utf8');
}

/** Resolves when the command has ended and its output is read. */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => letGoOfPipes(child));
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** What a command leaves running in the background may hold its pipes open for ever; nobody waits for that. */
function letGoOfPipes(child: ChildProcess): void {
  setTimeout(() => {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, 1_000).unref();
}

function stopAfter(child: ChildProcess, timeout: number): { readonly passed: boolean; lift(): void } {
  let passed = false;
  let force: NodeJS.Timeout | undefined;
  const request = setTimeout(() => {
    passed = true;
    signalGroup(child, 'SIGTERM');
    force = setTimeout(() => signalGroup(child, 'SIGKILL'), grace);
  }, timeout);
  return {
    get passed() {
      return passed;
    },
    lift() {
      clearTimeout(request);
      clearTimeout(force);
      if (passed) signalGroup(child, 'SIGKILL');
    },
  };
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, signal);
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ESRCH') throw thrown;
  }
}

function timedOut(command: Command): NodeError {
  const seconds = (command.timeout ?? 30_000) / 1_000;
  return new NodeError(
    'CommandTimedOut',
    `${commandLine(command)} did not end within ${seconds} s and was stopped. Run it by hand to see what it waits for.`,
  );
}

function notStarted(command: Command, thrown: unknown): CommandResult {
  switch (errnoOf(thrown)) {
    case 'ENOENT':
      return { exitCode: 127, stdout: '', stderr: `${command.file}: not found` };
    case 'EACCES':
      return { exitCode: 126, stdout: '', stderr: `${command.file}: permission denied` };
    default:
      if (thrown instanceof NodeError) throw thrown;
      throw new NodeError('CommandFailed', `${commandLine(command)} could not be started: ${thrown}`, {
        cause: thrown,
      });
  }
}
