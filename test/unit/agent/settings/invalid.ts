import { NodeError } from '../../../../src/agent/engine/errors.ts';

/** The lines of the `InvalidSettings` that the action ends with; none where it does not fail. */
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
