import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesPage } from '../../../packaging/files-page.ts';
import { type OwnFile, ownFiles } from '../../../src/agent/own-files.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { ownedFiles } from '../../boot/owned-files.ts';
import { foreignFiles, isForeign } from './foreign-files.ts';

const places = Object.values<OwnFile>(ownFiles).map(({ place }) => place(nodePaths('/')));

/**
 * The paths in docs/usage/owned-files.md, without a trailing `*`. parts.test.ts compares these paths with the parts.
 */
const owned = ownedFiles()
  .map(({ path }) => path.replace(/\*$/, ''))
  .filter((path) => path.startsWith('/'));

test('docs/usage/files.md matches the table of own files', () => {
  const page = readFileSync(new URL('../../../docs/usage/files.md', import.meta.url), 'utf8');
  expect(page, 'run: npm run docs').toBe(filesPage());
});

describe('the tables of own and foreign files', () => {
  test.each(owned)('contain each file that Slipway writes, exactly once: %s', (path) => {
    expect([places.includes(path), isForeign(path)].filter(Boolean)).toHaveLength(1);
  });

  test('contain only foreign files that Slipway still writes', () => {
    const unknown = Object.keys(foreignFiles).filter(
      (each) => !owned.some((path) => (each.endsWith('/') ? path.startsWith(each) : path === each)),
    );
    expect(unknown).toEqual([]);
  });

  test('contain only own files that docs/usage/owned-files.md lists', () => {
    expect(places.filter((path) => !path.includes('*') && !owned.includes(path))).toEqual([]);
  });
});
