import { createHash } from 'node:crypto';

/** A short digest that tells two texts apart in a plan or a log without showing them. */
export function digest(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
}
