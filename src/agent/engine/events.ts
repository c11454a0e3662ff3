import type { Condition } from './conditions.ts';
import type { Outcome } from './resource.ts';

/** The events of the daemon. Every log line is derived from one of these events. */
export type Event =
  | { readonly type: 'Started'; readonly version: string; readonly root: string }
  | { readonly type: 'Warned'; readonly message: string }
  | { readonly type: 'Settled'; readonly outcome: Outcome }
  | { readonly type: 'ConditionChanged'; readonly condition: Condition }
  | { readonly type: 'Sleeping'; readonly until: number; readonly because: string }
  | { readonly type: 'Woken'; readonly by: string }
  | { readonly type: 'Stopped'; readonly by: string };

export type Emit = (event: Event) => void;
