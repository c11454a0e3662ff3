import { NodeError } from '../../engine/errors.ts';
import type { StoredLogin } from './answer/logins.ts';

/** A login as the store has it, and when it is due; epoch milliseconds. */
export interface DatedLogin extends StoredLogin {
  readonly due: number;
}

/** A login server whose password could not be renewed, and what the node has for it. */
export interface RenewalFailure {
  readonly server: string;
  readonly error: NodeError;
  readonly held: DatedLogin | undefined;
}

/**
 * The failures of one attempt as one error: what happened, and of each server since when its credential is due and
 * until when pulls work with it. All of it comes from the store, so that it outlives a restart of Slipway.
 *
 * It is as severe as whichever failure passes soonest, and repeated with it. A Retry-After counts from who asks for fewer
 * requests; who is down cannot know when it will be up, and a proxy before it even less.
 */
export function renewalFailure(failures: readonly RenewalFailure[], now: number): NodeError {
  const [first] = failures.map(({ error }) => error).sort((a, b) => patienceFor(a) - patienceFor(b));
  if (!first) throw new Error('no renewal failed');
  const { reason, blocks, endedBy, retry } = first;
  const messages = new Set(failures.map(({ error }) => error.message));
  const outlooks = failures.flatMap(({ server, held }) => (held ? outlook(server, held, now) : []));
  return new NodeError(reason, [...messages, ...outlooks].join(' '), {
    blocks,
    endedBy,
    ...(reason === 'Throttled' && { retry }),
    cause: first,
  });
}

function patienceFor({ reason, endedBy, retry: { after = 0 } }: NodeError): number {
  if (endedBy === 'person') return Number.MAX_VALUE;
  return reason === 'Throttled' ? after : 0;
}

function outlook(
  server: string,
  { due, receivedAt, until, refused }: DatedLogin,
  now: number,
): readonly string[] {
  if (refused) return [];
  const credential = `The credential for ${server}`;
  if (now < receivedAt)
    return [
      `${credential} was received at ${iso(receivedAt)}, by a clock that was put back since: it is not known when it ends.`,
    ];
  const since = `${credential} is due since ${iso(due)}`;
  if (until === undefined) return [`${since}; it has no end that is known.`];
  return [
    now < until
      ? `${since}; pulls work until ${iso(until)}.`
      : `${since} and ended at ${iso(until)}; pulls of new images fail.`,
  ];
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
