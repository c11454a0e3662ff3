import { type NodeError, toNodeError } from '../engine/errors.ts';
import { type ConditionType, inSync, type Resource } from '../engine/resource.ts';

/** A value that cannot be learned at every moment: the last one known, and why there is no newer one. */
export interface LastKnown<Value> {
  readonly value?: Value;
  readonly error?: NodeError;
}

/** Asks again. If that fails, the earlier value is kept, and the error no longer blocks. */
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
  /** The value, in one line for people. */
  readonly tell: (value: Value) => string;
}

/** Something the node must know before it can be planned; the Resource reports the result of asking. */
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
