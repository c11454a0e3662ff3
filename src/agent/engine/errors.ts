import type { Reason } from './reasons.ts';
import type { Severity } from './severity.ts';

/**
 * How an attempt is repeated. `after`: not before that many milliseconds (Retry-After). `longest`: the most
 * milliseconds between two attempts while time may end it, for an attempt that is local and costs nothing.
 */
export interface Retry {
  readonly after?: number;
  readonly longest?: number;
}

/** By default, dependants wait, and time ends it. */
export interface NodeErrorOptions extends Partial<Severity> {
  readonly retry?: Retry;
  readonly cause?: unknown;
}

/**
 * An error of this node, as a condition reports it: the reason is the condition's reason; the message says what
 * happened, why, and what to do next. It never holds a secret.
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

  /** Returns the same error, which does not block dependants. */
  nonBlocking(): NodeError {
    const { reason, message, endedBy, retry, cause } = this;
    return new NodeError(reason, message, { blocks: false, endedBy, retry, cause });
  }
}

/** Throws the same error, which does not block dependants. */
export function rethrowNonBlocking(thrown: unknown): never {
  throw thrown instanceof NodeError ? thrown.nonBlocking() : thrown;
}

/** Thrown by a Host that records an action instead of doing it: what depends on its effect cannot be observed. */
export class Recorded extends Error {
  override readonly name = 'Recorded';
}

/** Returns any thrown value as a NodeError; one that is not is reported as a defect of Slipway. */
export function toNodeError(thrown: unknown): NodeError {
  if (thrown instanceof NodeError) {
    return thrown;
  }
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new NodeError('InternalError', `${message}. This is a defect in Slipway; please report it.`, {
    cause: thrown,
  });
}
