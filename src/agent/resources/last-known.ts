import { type NodeError, toNodeError } from '../engine/errors.ts';
import { type ConditionType, inSync, type Resource } from '../engine/resource.ts';

/** The last known value of something that is not always available, and the error of the latest attempt if it failed. */
export interface LastKnown<Value> {
  readonly value?: Value;
  readonly error?: NodeError;
}

/**
 * Returns the value of `ask`. If `ask` fails, returns the earlier value with an error that does not block, or only the
 * error if there was no value before.
 */
export async function learn<Value>(
  before: LastKnown<Value> | undefined,
  ask: () => Promise<Value>,
): Promise<LastKnown<Value>> {
  try {
    return { value: await ask() };
  } catch (thrown) {
    const error = toNodeError(thrown);
    if (before?.value === undefined) {
      return { error };
    }
    return { value: before.value, error: error.nonBlocking() };
  }
}

export interface KnownSpec<Value> {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly lastKnown: LastKnown<Value>;
  /** Returns the value on one line, for people. */
  readonly tell: (value: Value) => string;
}

/**
 * Reports a value that the plan of a node requires. If the latest attempt to learn the value failed, the check throws
 * the error of that attempt.
 */
export function known<Value>({ lastKnown, tell, ...rest }: KnownSpec<Value>): Resource {
  return {
    ...rest,
    async check() {
      if (lastKnown.error) {
        throw lastKnown.error;
      }
      return inSync(lastKnown.value === undefined ? {} : { message: tell(lastKnown.value) });
    },
  };
}
