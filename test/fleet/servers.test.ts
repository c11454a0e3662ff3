import { test } from 'vitest';
import { keepPromises, range } from './seeds.ts';

test.each([
  [61, 80],
  [81, 100],
])('one server and four agents keep the promises with the seeds %i to %i', (from, to) =>
  keepPromises({ servers: 1, agents: 4 }, range(from, to)),
);

test('three servers and four agents keep the promises with the seeds 1 to 12', () =>
  keepPromises({ servers: 3, agents: 4 }, range(1, 12)));
