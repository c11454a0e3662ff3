import { test } from 'vitest';
import { keepPromises, range } from './seeds.ts';

test('one server and four agents keep the promises with the seeds 1 to 50', () =>
  keepPromises({ servers: 1, agents: 4 }, range(1, 50)));
