import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../..');
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'RELEASE.md',
  'SECURITY.md',
  ...markdownBelow('docs'),
];

/** The maximum width of a line of prose, in columns. */
const width = 120;

describe.each(pages)('%s', (page) => {
  test('has no broken links', () => {
    const dead = linksOf(page).filter((link) => !leadsSomewhere(page, link));
    expect(dead).toEqual([]);
  });

  test('has no lines wider than 120 columns outside code and tables', () => {
    const wide = isWrapped(page) ? proseOf(page).filter((line) => [...line].length > width) : [];
    expect(wide).toEqual([]);
  });
});

test.each([
  ['docs/README.md', [...markdownIn('docs'), ...markdownIn('docs/usage'), 'docs/adr/README.md']],
  ['docs/adr/README.md', markdownIn('docs/adr')],
])('the index %s links to all of its pages', (index, listed) => {
  const found = linksOf(index).map((link) => join(dirname(index), link));
  expect(listed.filter((page) => page !== index && !found.includes(page))).toEqual([]);
});

function markdownBelow(folder: string): readonly string[] {
  const entries = readdirSync(join(repository, folder), { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.md'));
  return files.map(({ parentPath, name }) => relative(repository, join(parentPath, name))).sort();
}

function markdownIn(folder: string): readonly string[] {
  return markdownBelow(folder).filter((page) => dirname(page) === folder);
}

function textOf(page: string): string {
  return readFileSync(join(repository, page), 'utf8');
}

/**
 * True if the page's lines must be wrapped: false for generated pages, and for decision records, which stay as written.
 */
function isWrapped(page: string): boolean {
  return !textOf(page).includes('<!-- made by ') && !/^docs\/adr\/\d/.test(page);
}

function withoutCode(page: string): string {
  return textOf(page).replace(/^( *)```.*\n[\s\S]*?^\1```$/gm, '');
}

function proseOf(page: string): readonly string[] {
  return withoutCode(page)
    .split('\n')
    .filter((line) => !/^\s*\|/.test(line));
}

/** Returns the targets of a page's links, except URLs. */
function linksOf(page: string): readonly string[] {
  const text = withoutCode(page).replace(/`[^`]*`/g, '');
  const targets = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (target.startsWith('..') || !existsSync(join(repository, target))) {
    return false;
  }
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/**
 * Returns the anchors that GitHub makes for a page's headings, with a number for a repeated heading; empty if the file
 * is not Markdown.
 */
function anchorsOf(page: string): readonly string[] {
  if (!page.endsWith('.md')) {
    return [];
  }
  const headings = [...withoutCode(page).matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    slug(heading),
  );
  return headings.map((name, at) => {
    const before = headings.slice(0, at).filter((other) => other === name).length;
    return before === 0 ? name : `${name}-${before}`;
  });
}

function slug(heading: string): string {
  const shown = heading.trim().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return shown
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc} -]/gu, '')
    .replaceAll(' ', '-');
}
