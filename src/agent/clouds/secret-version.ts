import { Recorded } from '../engine/errors.ts';

/**
 * Returns the version that `ask` finds; `undefined` if `ask` throws, because a read of the current version reports the
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
