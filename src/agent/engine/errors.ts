import type { Reason } from './reasons.ts';
import type { Severity } from './severity.ts';

/**
 * The limits of the delay before the next attempt, in milliseconds. `after` is the shortest delay (Retry-After).
 * `longest` is the longest delay, also if only a person can end the failure; a short limit suits a cheap, local
 * attempt.
 */
export interface Retry {
  readonly after?: number;
  readonly longest?: number;
}

/** The options of a NodeError. By default the error blocks dependants, and time may end it. */
export interface NodeErrorOptions extends Partial<Severity> {
  readonly retry?: Retry;
  readonly cause?: unknown;
}

/**
 * An error that a condition reports. `reason` is the condition's reason. The message states what happened, why, and
 * what to do next; it never contains a secret.
 */
export class NodeError extends Error implements Severity {
  override readonly name = 'NodeError';
  readonly reason: Reason;
  readonly blocks: boolean;
  readonly endedBy: Severity['endedBy'];
  readonly retry: Retry;

  constructor(reason: Reason, message: string, options: NodeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.blocks = options.blocks ?? true;
    this.endedBy = options.endedBy ?? 'time';
    this.retry = options.retry ?? {};
  }

  /** Returns a copy of the error that does not block dependants. */
  nonBlocking(): NodeError {
    const { reason, message, endedBy, retry, cause } = this;
    return new NodeError(reason, message, { blocks: false, endedBy, retry, cause });
  }
}

/** Throws a NodeError as a non-blocking copy, and any other value unchanged. */
export function rethrowNonBlocking(thrown: unknown): never {
  throw thrown instanceof NodeError ? thrown.nonBlocking() : thrown;
}

/** Thrown by a Host that records an action instead of performing it, so that there is no effect to observe. */
export class Recorded extends Error {
  override readonly name = 'Recorded';
}

/** Returns a thrown NodeError unchanged, and any other value as a NodeError that reports a defect of Slipway. */
export function toNodeError(thrown: unknown): NodeError {
  if (thrown instanceof NodeError) {
    return thrown;
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new NodeError('InternalError', `${message}. This is a defect in Slipway; please report it.`, {
    cause: thrown,
  });
}
