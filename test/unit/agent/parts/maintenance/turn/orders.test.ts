import { expect, test } from 'vitest';
import {
  type Order,
  ordersText,
  readOrders,
} from '../../../../../../src/agent/parts/maintenance/turn/orders.ts';

const orders: readonly Order[] = [
  { order: 'release', about: 'agent-1' },
  { order: 'continue', about: '' },
  { order: 'now', about: 'agent-2' },
];

test('orders are read as they were written', () => {
  expect(readOrders(ordersText(orders))).toEqual(orders);
});

test('only the newest 50 orders are kept', () => {
  const many = Array.from({ length: 51 }, (_, index): Order => ({ order: 'now', about: `agent-${index}` }));
  expect(readOrders(ordersText(many))).toEqual(many.slice(1));
});

test.each([
  ['empty text', ''],
  ['an unknown order', '[{"order":"stop","about":""}]'],
  ['an order without a subject', '[{"order":"now"}]'],
  ['more than 20,000 characters', `[]${' '.repeat(20_000)}`],
])('%s is not a list of orders', (_, text) => {
  expect(readOrders(text)).toEqual([]);
});
