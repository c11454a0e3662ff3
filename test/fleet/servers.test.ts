import { test } from 'vitest';
import { keepPromises } from './seeds.ts';

test('three servers and four agents keep the promises with the seeds 1, 2, 14 and 16', () =>
  keepPromises({ servers: 3, agents: 4 }, [1, 2, 14, 16]));
