import { NodeError } from '../../../../src/agent/engine/errors.ts';

/**
 * Returns the lines of the `InvalidSettings` error of an action; an empty list if the action succeeds. Throws any other
 * error of the action.
 */
export async function problemsOf(action: () => unknown): Promise<readonly string[]> {
  try {
    await action();
    return [];
  } catch (thrown) {
    if (thrown instanceof NodeError && thrown.reason === 'InvalidSettings' && thrown.endedBy === 'person') {
      return thrown.message.split('\n');
    }
    throw thrown;
  }
}
