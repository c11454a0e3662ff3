import { NodeError } from '../../engine/errors.ts';
import type { DatedLogin } from './dated-logins.ts';

/**
 * A login server whose password could not be renewed, with the error and the login that the store still has, if any.
 */
export interface RenewalFailure {
  readonly server: string;
  readonly error: NodeError;
  readonly held: DatedLogin | undefined;
}

/**
 * Returns one error for the failures of an attempt. Its message states what happened and, for each credential that its
 * registry did not refuse, when the renewal became due and how long pulls still work. These times come from the store,
 * so they survive a restart of Slipway. Throws if `failures` is empty.
 *
 * Reason, severity and retry are those of the failure that is likely to end first. A Retry-After counts only for
 * `Throttled`, since a registry that is down, or a proxy in front of the registry, cannot know when it will be up.
 */
export function renewalFailure(failures: readonly RenewalFailure[], now: number): NodeError {
  const [first] = failures.map(({ error }) => error).sort((a, b) => patienceFor(a) - patienceFor(b));
  if (!first) {
    throw new Error('no renewal failed');
  }
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
  if (endedBy === 'person') {
    return Number.MAX_VALUE;
  }
  return reason === 'Throttled' ? after : 0;
}

function outlook(
  server: string,
  { due, receivedAt, until, refused }: DatedLogin,
  now: number,
): readonly string[] {
  if (refused) {
    return [];
  }
  const credential = `The credential for ${server}`;
  if (now < receivedAt) {
    return [
      `${credential} was received at ${iso(receivedAt)}, by a clock that was set back since; when it ends is not known.`,
    ];
  }
  const since = `${credential} has been due since ${iso(due)}`;
  if (until === undefined) {
    return [`${since}; when it ends is not known.`];
  }
  return [
    now < until
      ? `${since}; pulls work until ${iso(until)}.`
      : `${since} and ended at ${iso(until)}; pulls of new images fail.`,
  ];
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
