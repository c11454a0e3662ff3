import { test } from 'vitest';
import { keepPromises, range } from './seeds.ts';

test('one server and four agents keep the promises with the seeds 51 to 100', () =>
  keepPromises({ servers: 1, agents: 4 }, range(51, 100)));
