import { test } from 'vitest';
import { keepPromises } from '../seeds.ts';
import { chosenSeeds } from './chosen-seeds.ts';

test('one server and fifty agents keep the promises with the first ten seeds', () =>
  keepPromises({ servers: 1, agents: 50 }, chosenSeeds.slice(0, 10)));

test('three servers and six agents keep the promises with the first fifty seeds', () =>
  keepPromises({ servers: 3, agents: 6 }, chosenSeeds.slice(0, 50)));
