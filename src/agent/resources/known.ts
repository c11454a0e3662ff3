import { type ConditionType, inSync, type Resource } from '../engine/resource.ts';
import type { Lesson } from './lesson.ts';

export interface KnownSpec<Value> {
  readonly id: string;
  readonly summary: string;
  readonly condition: ConditionType;
  readonly needs?: readonly string[];
  readonly lesson: Lesson<Value>;
  /** What is known, in one line for people. */
  readonly tell: (value: Value) => string;
}

/** Something the node must know before it can be planned; the asking was done before, this tells how it went. */
export function known<Value>({ lesson, tell, ...rest }: KnownSpec<Value>): Resource {
  return {
    ...rest,
    async check() {
      if (lesson.error) throw lesson.error;
      return inSync(lesson.value === undefined ? {} : { message: tell(lesson.value) });
    },
  };
}
