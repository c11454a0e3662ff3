import { Recorded } from '../engine/errors.ts';

/**
 * Returns the version that `ask` finds; `undefined` if `ask` throws, because the following read of the secret reports
 * the error. Rethrows `Recorded`.
 */
export async function versionIfKnown(ask: () => Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await ask();
  } catch (thrown) {
    if (thrown instanceof Recorded) {
      throw thrown;
    }
    return undefined;
  }
}
