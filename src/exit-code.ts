import { writeSync } from 'node:fs';

/**
 * Makes the result of `work` the exit code of this process.
 *
 * Node ends with 0 when nothing is left to wait for, even in the middle of `work`: that becomes a message and 1.
 */
export async function exitWith(work: Promise<number>): Promise<void> {
  process.once('beforeExit', refuseToEnd);
  process.exitCode = await work;
  process.off('beforeExit', refuseToEnd);
}

function refuseToEnd(): void {
  const priority = process.env.JOURNAL_STREAM === undefined ? '' : '<3>';
  try {
    writeSync(
      2,
      `${priority}slipway: InternalError: the command waits for something that can no longer happen, so it was ended in the middle. This is a defect in Slipway; please report it.\n`,
    );
  } catch {
    // Nothing reads it; the exit code still tells.
  }
  process.exit(1);
}
