import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { namesOf, roles } from '../../../src/roles/index.ts';

test.each(['README.md', 'docs/usage/tags.md', 'docs/usage/kubernetes.md', 'docs/usage/install.md'])(
  '%s names every role',
  (page) => {
    const text = readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
    expect(namesOf(roles).filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  },
);
