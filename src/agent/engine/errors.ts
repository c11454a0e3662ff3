import type { Reason } from './reasons.ts';

/**
 * How an attempt is repeated. `soon`: seconds to minutes, with jitter. `slow`: about every ten minutes, for ever,
 * because people repair a cloud without touching the VM. `after`: not before so many milliseconds (Retry-After).
 * `longest`: soon, never more than so many milliseconds apart, for what is near and costs nobody anything.
 */
export interface Retry {
  readonly pace: 'soon' | 'slow';
  readonly after?: number;
  readonly longest?: number;
}

export interface NodeErrorOptions {
  readonly retry?: Retry;
  /** False where what depends on the resource may go ahead all the same. */
  readonly blocks?: boolean;
  readonly cause?: unknown;
}

/**
 * What went wrong with this node, as a condition says it: the reason is the condition's reason, the message tells
 * what happened, why, and what to do next. It never holds a secret.
 */
export class NodeError extends Error {
  override readonly name = 'NodeError';
  readonly reason: Reason;
  readonly retry: Retry;
  readonly blocks: boolean;

  constructor(reason: Reason, message: string, options: NodeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.reason = reason;
    this.retry = options.retry ?? { pace: 'soon' };
    this.blocks = options.blocks ?? true;
  }

  /** The same trouble, holding up nobody. */
  sparing(): NodeError {
    const { reason, message, retry, cause } = this;
    return new NodeError(reason, message, { retry, cause, blocks: false });
  }
}

/** Thrown by a Host that notes an action instead of doing it, so what depends on its effect cannot be observed. */
export class Recorded extends Error {
  override readonly name = 'Recorded';
}

/** Any thrown value as a NodeError; what is not one is a defect of ours, and says so. */
export function toNodeError(thrown: unknown): NodeError {
  if (thrown instanceof NodeError) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new NodeError('InternalError', `${message}. This is a defect in Slipway; please report it.`, {
    cause: thrown,
  });
}
