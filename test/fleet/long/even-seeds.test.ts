import { test } from 'vitest';
import { keepPromises } from '../seeds.ts';
import { chosenSeeds } from './chosen-seeds.ts';

test('one server and four agents keep the promises with every even seed', () =>
  keepPromises(
    { servers: 1, agents: 4 },
    chosenSeeds.filter((seed) => seed % 2 === 0),
  ));
