import { type Condition, isUnverified } from './engine/conditions.ts';
import type { Emit } from './engine/events.ts';

/** The status and reason of each condition when last logged; in sync if it was first seen as changed. */
export type Told = Map<Condition['type'], string>;

/**
 * Logs each condition whose status or reason differs from what was last logged; Ready comes last. Skips blocked and
 * changed conditions. A change has its own log line, so a condition that is in sync after the change is logged only if
 * it had a problem before the change, or if it is Ready.
 */
export function tellTransitions([ready, ...others]: readonly Condition[], told: Told, emit: Emit): void {
  for (const condition of [...others, ...(ready ? [ready] : [])]) {
    const { type, status, reason } = condition;
    if (reason === 'Blocked') {
      continue;
    }
    const isNews = !isUnverified(condition);
    const line = `${status} ${isNews ? reason : 'InSync'}`;
    if (isNews && told.get(type) !== line) {
      emit({ type: 'ConditionChanged', condition });
    }
    if (isNews || (type !== 'Ready' && !told.has(type))) {
      told.set(type, line);
    }
  }
}
