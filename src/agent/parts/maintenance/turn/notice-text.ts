import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import type { Lease } from '../../../kubernetes/lease.ts';

/** The key of the notice of a rotation among the annotations of the Lease. */
export const rotationKey = 'slipway.dev/token-rotation';

const digest = z.string().check(z.regex(/^[0-9a-f]{12}$/));
const notice = z.object({
  /** The server that rotates, and the digests of the tokens. */
  node: z.string().check(z.minLength(1), z.maxLength(253)),
  from: digest,
  to: digest,
  /** True once the datastore belongs to the new token; never set with SQLite. */
  stored: z.optional(z.boolean()),
});

/** A rotation of the join token, as the Lease of turns shows it to all servers. */
export type Notice = z.output<typeof notice>;

/** The longest notice that is read, in characters. */
const longest = 1_000;

/** Returns the notice in the Lease; `undefined` if the notice is missing or damaged. */
export function noticeIn(lease: Lease | undefined): Notice | undefined {
  const text = lease?.metadata.annotations?.[rotationKey];
  return text === undefined || text.length > longest ? undefined : parseJson(notice, text);
}

/** Returns the text of a notice. */
export function noticeText(written: Notice): string {
  return JSON.stringify(written);
}
