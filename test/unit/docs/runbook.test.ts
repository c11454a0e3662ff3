import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reasons } from '../../../src/agent/vocabulary.ts';

const page = readFileSync(new URL('../../../docs/usage/runbook.md', import.meta.url), 'utf8');
const entries = page
  .split(/^#{2} .*$|^(?=### )/m)
  .filter((part) => part?.startsWith('### '))
  .map((part) => {
    const [heading = '', ...lines] = part.trim().split('\n');
    return { reason: heading.slice('### '.length), lines };
  });

test('the runbook has one entry per reason, in the order of the vocabulary', () => {
  expect(entries.map(({ reason }) => reason)).toEqual(Object.keys(reasons));
});

test.each(entries)('the runbook entry $reason has one to five lines', ({ lines }) => {
  expect(lines.filter((line) => line !== '').length).toBeGreaterThan(0);
  expect(lines.length).toBeLessThanOrEqual(5);
});

test('every link within the runbook leads to an entry', () => {
  const anchors = [...page.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor);
  const known = entries.map(({ reason }) => reason.toLowerCase());
  expect(anchors.filter((anchor) => !known.includes(anchor ?? ''))).toEqual([]);
});
