import * as z from 'zod/mini';
import { parseJson } from '../../../engine/json.ts';

/** The key of a person's orders among the annotations of the Lease. */
export const ordersKey = 'slipway.dev/turn-orders';

const order = z.object({
  /**
   * `release` frees the turn of a node, `continue` forgets the failures of a wish (or all of them), and `now` lets a
   * node begin outside its windows and before others.
   */
  order: z.enum(['release', 'continue', 'now']),
  /** The name of the node, or of the wish; empty for all wishes. */
  about: z.string().check(z.maxLength(253)),
});

/** What a person has ordered with `slipway turn`. */
export type Order = z.output<typeof order>;

const most = 50;
const orders = z.array(order).check(z.maxLength(most));
const longest = 20_000;

/** Reads the orders; none if the text is not a list of orders. */
export function readOrders(text: string): readonly Order[] {
  const isReadable = text !== '' && text.length <= longest;
  return isReadable ? (parseJson(orders, text) ?? []) : [];
}

/** Returns the text of the newest orders. */
export function ordersText(written: readonly Order[]): string {
  return JSON.stringify(written.slice(-most));
}

/** True if both orders are the same. */
export function isSameOrder(a: Order, b: Order): boolean {
  return a.order === b.order && a.about === b.about;
}
