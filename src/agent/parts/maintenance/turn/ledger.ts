import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';
import { remembering } from '../../../engine/remembering.ts';
import type { TurnGrant } from './annotations.ts';

/** The key of the ledger among the annotations of the Lease. */
export const ledgerKey = 'slipway.dev/ledger';

const words = z.string().check(z.minLength(1), z.maxLength(253));
const hex = z.string().check(z.regex(/^[0-9a-f]{8,32}$/));

const slot = z.object({
  node: words,
  /** The uid of the Node; a Node that was created again has another one. */
  uid: words,
  wish: words,
  digest: hex,
  boot: hex,
  nonce: hex,
  seconds: z.int().check(z.positive()),
  nowhere: z.boolean(),
  now: z.optional(z.boolean()),
  server: z.boolean(),
  routes: z.boolean(),
});

const failure = z.object({ node: words, wish: words, digest: hex, nonce: hex, why: z.string() });

const ledger = z.object({
  /** The number of changes so far; a smaller number than before shows that an older ledger was restored. */
  changes: z.int(),
  slots: z.array(slot),
  failures: z.array(failure),
  /** The wishes that a first agent has fulfilled, so that other agents may follow. */
  proven: z.array(words),
});

/** A turn that was granted and has not been freed; the node may have begun it before the holder sees that. */
export type Slot = z.output<typeof slot>;
/** A node that failed in its turn; `maxFailed` such nodes stop further turns for their wish. */
export type Failure = z.output<typeof failure>;
/** The turns of the whole fleet, as the Lease keeps them. */
export type Ledger = z.output<typeof ledger>;

/** The ledger of a fleet in which no node has had a turn. */
export const emptyLedger: Ledger = { changes: 0, slots: [], failures: [], proven: [] };

/** The format number of the ledger (ADR 31): later formats only add fields. */
const format = 1;
/** The longest ledger that is read, in characters; the API limits all annotations of an object to 256 KiB. */
const longest = 200_000;
const longestWhy = 200;
const mostFailures = 100;
const mostProven = 50;

/** Reads a ledger, whatever its format number; `undefined` if it is not one. */
export function readLedger(text: string): Ledger | undefined {
  return text.length > longest ? undefined : parsed(text, ledgerKey);
}

const parsed = remembering((text) => parseJson(ledger, text));

/** Returns the text of a ledger. */
export function ledgerText(written: Ledger): string {
  return JSON.stringify({ format, ...written });
}

/** Adds a slot. */
export function withSlot(before: Ledger, added: Slot): Ledger {
  return changed(before, { slots: [...withoutNonce(before.slots, added.nonce), added] });
}

/** Removes the slot with a nonce; with `proves`, its wish needs no first agent any more. */
export function withoutSlot(before: Ledger, { nonce, wish }: Slot, proves: boolean): Ledger {
  const proven = proves ? [...before.proven.filter((each) => each !== wish), wish] : before.proven;
  return changed(before, { slots: withoutNonce(before.slots, nonce), proven: proven.slice(-mostProven) });
}

/** Adds the failure of a node in its turn. */
export function withFailure(before: Ledger, { node, wish, digest, nonce }: Slot, why: string): Ledger {
  const added = { node, wish, digest, nonce, why: why.slice(0, longestWhy) };
  const failures = [...withoutNonce(before.failures, nonce), added];
  return changed(before, { failures: failures.slice(-mostFailures) });
}

/** Removes failures, so that turns for their wishes go on. */
export function withoutFailures(before: Ledger, removed: readonly Failure[]): Ledger {
  const nonces = new Set(removed.map(({ nonce }) => nonce));
  return changed(before, { failures: before.failures.filter(({ nonce }) => !nonces.has(nonce)) });
}

/** Forgets that first agents have fulfilled these wishes, because no node has the wishes any more. */
export function withoutProven(before: Ledger, forgotten: readonly string[]): Ledger {
  return changed(before, { proven: before.proven.filter((wish) => !forgotten.includes(wish)) });
}

/** Returns the grant of a slot, as its node gets it. */
export function grantOf({ digest, boot, nonce, seconds, nowhere, now }: Slot): TurnGrant {
  return { digest, boot, nonce, seconds, nowhere, ...(now && { now }) };
}

function changed(before: Ledger, fields: Partial<Ledger>): Ledger {
  return { ...before, ...fields, changes: before.changes + 1 };
}

function withoutNonce<Entry extends { readonly nonce: string }>(entries: readonly Entry[], nonce: string) {
  return entries.filter((entry) => entry.nonce !== nonce);
}
