import { hash } from 'node:crypto';

/** Returns the SHA-256 of bytes, or of a string in UTF-8, as lower-case hex. */
export function sha256(data: string | Buffer): string {
  return hash('sha256', data);
}

/** Returns a short digest that distinguishes strings in a plan or a log without revealing them. */
export function digest(text: string): string {
  return `sha256:${shortDigest(text)}`;
}

/** Returns the first 12 hex digits of a string's SHA-256. */
export function shortDigest(text: string): string {
  return sha256(text).slice(0, 12);
}
