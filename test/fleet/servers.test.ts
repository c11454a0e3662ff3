import { test } from 'vitest';
import { keepPromises, range } from './seeds.ts';

test('three servers and four agents keep the promises with the seeds 1 and 2', () =>
  keepPromises({ servers: 3, agents: 4 }, range(1, 2)));
