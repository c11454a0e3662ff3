import { createHash } from 'node:crypto';

/** A short digest that tells two texts apart in a plan or a log without showing them. */
export function digest(text: string): string {
  return `sha256:${shortDigest(text)}`;
}

/** The first 12 hex digits of a text's SHA-256. */
export function shortDigest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
