import { isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import type { Compressed } from '../../engine/compression.ts';
import type { DatabaseFacts } from '../../engine/database.ts';
import { NodeError } from '../../engine/errors.ts';
import type { Command } from '../../engine/host.ts';
import { parseJson } from '../../engine/json.ts';
import { commandFailed } from '../process/command-failed.ts';
import { execute } from '../process/exec.ts';
import { type DatabaseAnswer, type DatabaseWork, databaseAnswer } from './database-work.ts';

/** The longest time for a copy or a reading in milliseconds. A slow disk takes minutes for some gigabytes. */
const longest = 3_600_000;

/**
 * Has a child process, Slipway's own executable, copy or read a database or a snapshot, so that the work uses neither
 * the memory nor the time of this process. Returns `undefined` if the file is missing. Throws the error of the child.
 */
export async function databaseChild(
  work: Extract<DatabaseWork, { queries: unknown }>,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<DatabaseFacts | undefined> {
  const answer = await childAnswer(work, environment, signal);
  return 'facts' in answer ? answer.facts : undefined;
}

/** Has a child process compress or decompress a file. Throws the error of the child. */
export async function compressedByChild(
  work: Extract<DatabaseWork, { limit: number }>,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Compressed> {
  const answer = await childAnswer(work, environment, signal);
  if (!('compressed' in answer)) {
    throw new NodeError('InternalError', `The child that had to ${work.do} ${work.from} has no answer.`);
  }
  return answer.compressed;
}

async function childAnswer(
  work: DatabaseWork,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<Exclude<DatabaseAnswer, { reason: unknown }>> {
  const [file = '', ...args] = ownCommand();
  const command: Command = { file, args: [...args, 'database', JSON.stringify(work)], timeout: longest };
  const result = await execute(command, environment, signal);
  signal?.throwIfAborted();
  const answer = result.exitCode === 0 ? parseJson(databaseAnswer, result.stdout) : undefined;
  if (answer === undefined) {
    throw commandFailed(command, result);
  }
  if ('reason' in answer) {
    const { reason, message, isForPerson } = answer;
    throw new NodeError(reason, message, { endedBy: isForPerson ? 'person' : 'time' });
  }
  return answer;
}

/** Has a child process copy a database, as `databaseChild` does. */
export async function databaseCopied(
  work: Extract<DatabaseWork, { do: 'copy' }>,
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<DatabaseFacts> {
  const facts = await databaseChild(work, environment, signal);
  if (facts === undefined) {
    throw new NodeError(
      'FileSystemError',
      `${work.from} disappeared while it was copied. It is tried again.`,
    );
  }
  return facts;
}

/** Returns the command that starts this program again: the executable or, from source, Node with the launcher. */
function ownCommand(): readonly string[] {
  return isSea()
    ? [process.execPath]
    : [process.execPath, fileURLToPath(new URL('../../../launcher/launch.ts', import.meta.url))];
}
