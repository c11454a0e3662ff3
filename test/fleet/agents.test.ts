import { test } from 'vitest';
import { keepPromises, range } from './seeds.ts';

test.each([
  [1, 20],
  [21, 40],
  [41, 60],
])('one server and four agents keep the promises with the seeds %i to %i', (from, to) =>
  keepPromises({ servers: 1, agents: 4 }, range(from, to)),
);
