import { type ConditionType, inSync, type Resource } from '../engine/resource.ts';
import type { LastKnown } from './last-known.ts';

export interface KnownSpec<Value> {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly lastKnown: LastKnown<Value>;
  /** What is known, in one line for people. */
  readonly tell: (value: Value) => string;
}

/** Something the node must know before it can be planned; the asking was done before, this tells how it went. */
export function known<Value>({ lastKnown, tell, ...rest }: KnownSpec<Value>): Resource {
  return {
    ...rest,
    async check() {
      if (lastKnown.error) throw lastKnown.error;
      return inSync(lastKnown.value === undefined ? {} : { message: tell(lastKnown.value) });
    },
  };
}
