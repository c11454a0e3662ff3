import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { clouds } from '../../../src/agent/clouds/index.ts';

function content(page: string): string {
  return readFileSync(new URL(`../../../${page}`, import.meta.url), 'utf8');
}

/** The names of the pages in docs/usage that differ from the name of their cloud. */
const otherPages: Readonly<Record<string, string>> = { azure: 'install', static: 'vps' };

describe.each(Object.keys(clouds))('cloud %s', (name) => {
  const page = `usage/${otherPages[name] ?? name}.md`;

  test('has a page that README.md and docs/README.md link to', () => {
    expect(existsSync(new URL(`../../../docs/${page}`, import.meta.url))).toBe(true);
    expect(content('README.md')).toContain(`(docs/${page})`);
    expect(content('docs/README.md')).toContain(`(${page})`);
  });

  test.each([
    ...['docs/architecture.md', 'docs/usage/imds.md', 'docs/usage/tags.md', 'docs/usage/runbook.md'],
    'docs/usage/comparison.md',
  ])('is mentioned, by name or by a link to its page, in %s', (listing) => {
    const link = `${otherPages[name] ?? name}.md`;
    const text = content(listing);
    expect(new RegExp(`\\b${name}\\b`, 'i').test(text) || text.includes(`](${link}`)).toBe(true);
  });
});
