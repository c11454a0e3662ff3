import { test } from 'vitest';
import { survivesEveryCrash } from '../scenario/first-boots.ts';
import { kinds } from '../scenario/founding-kinds.ts';

test.each(kinds)('a $kind reaches the same state even after a crash before any of its mutations', (row) =>
  survivesEveryCrash('server', row.settings, row),
);
