import { expect } from 'vitest';
import { live } from './live.ts';
import { withTurns } from './plans.ts';

/** The nodes of a fleet. */
export interface Size {
  readonly servers: number;
  readonly agents: number;
}

/**
 * Lets a fleet of this size live once for each seed. Expects that it keeps its promises, and prints the seeds for which
 * it does not, each with its last events.
 */
export async function keepPromises(size: Size, seeds: readonly number[]): Promise<void> {
  const failures: string[] = [];
  for (const seed of seeds) {
    const { failure } = await live({ ...size, seed, makePlan: withTurns });
    failures.push(...(failure === undefined ? [] : [failure]));
  }
  expect(failures.join('\n\n')).toBe('');
}

/** Returns the whole numbers from one to the other, both included. */
export function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
