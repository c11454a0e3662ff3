import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { conditionsPage } from '../../../packaging/conditions-page.ts';
import { reasons } from '../../../src/agent/vocabulary.ts';

test('docs/usage/conditions.md matches the vocabulary', () => {
  const page = readFileSync(new URL('../../../docs/usage/conditions.md', import.meta.url), 'utf8');
  expect(page, 'run: npm run docs').toBe(conditionsPage());
});

test('every reason is in CamelCase, with one sentence as its meaning', () => {
  for (const [reason, meaning] of Object.entries(reasons)) {
    expect(reason).toMatch(/^([A-Z][a-z0-9]+)+$/);
    expect(meaning, reason).toMatch(/^[A-Z`].*\.$/);
  }
});
