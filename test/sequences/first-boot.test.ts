import { test } from 'vitest';
import { firstBoots, isUsual, survivesEveryCrash } from '../scenario/first-boots.ts';

test.each(firstBoots.filter((boot) => !isUsual(boot)))(
  'a node with the role %s and the GitOps engine %s reaches the same state even after a crash before any of its mutations',
  (role, _, settings) => survivesEveryCrash(role, settings),
);
