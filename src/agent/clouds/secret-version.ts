import { Recorded } from '../engine/errors.ts';

/**
 * Returns what `ask` finds; `undefined` if `ask` throws, because a read of the current value of the secret reports the
 * error. Rethrows `Recorded`.
 */
export async function ifKnown<Found>(ask: () => Promise<Found | undefined>): Promise<Found | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof Recorded) {
      throw thrown;
    }
    return undefined;
  }
}
