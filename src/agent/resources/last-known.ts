import { type NodeError, toNodeError } from '../engine/errors.ts';

/** What was learned of a thing that cannot be learned at every moment: its last value, and why there is no newer one. */
export interface LastKnown<Value> {
  readonly value?: Value;
  readonly error?: NodeError;
}

/** Asks once more. Where that fails, the value known before stands, and the error blocks nothing any more. */
export async function learn<Value>(
  before: LastKnown<Value> | undefined,
  ask: () => Promise<Value>,
): Promise<LastKnown<Value>> {
  try {
    return { value: await ask() };
  } catch (thrown) {
    const error = toNodeError(thrown);
    if (before?.value === undefined) return { error };
    return { value: before.value, error: error.nonBlocking() };
  }
}
