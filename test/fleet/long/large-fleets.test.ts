import { test } from 'vitest';
import { keepPromises } from '../seeds.ts';
import { oneIn } from './chosen-seeds.ts';

test('one server and fifty agents keep the promises with one in 150 seeds', () =>
  keepPromises({ servers: 1, agents: 50 }, oneIn(150)));

test('three servers and six agents keep the promises with one in 20 seeds', () =>
  keepPromises({ servers: 3, agents: 6 }, oneIn(20)));
