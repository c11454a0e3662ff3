import { Recorded } from '../engine/errors.ts';

/**
 * Returns the version that `ask` finds; `undefined` if `ask` fails, because the read of the secret then reports the
 * error. Passes on `Recorded`.
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
