import { tellJournal } from './stderr.ts';

/**
 * Makes the result of `work` the exit code of this process.
 *
 * Node exits with 0 when no event is pending, even in the middle of `work`. In that case, prints a message and exits
 * with 1.
 */
export async function exitWith(work: Promise<number>): Promise<void> {
  process.once('beforeExit', refuseToEnd);
  process.exitCode = await work;
  process.off('beforeExit', refuseToEnd);
}

function refuseToEnd(): void {
  tellJournal(
    3,
    'InternalError: the command waits for something that can no longer happen, so it was ended in the middle. This is a defect in Slipway; please report it.',
  );
  process.exit(1);
}
