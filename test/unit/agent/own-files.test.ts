import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { filesPage } from '../../../packaging/files-page.ts';
import { type OwnFile, ownFiles } from '../../../src/agent/own-files.ts';
import { nodePaths } from '../../../src/agent/paths.ts';
import { ownedFiles } from '../../boot/owned-files.ts';
import { foreignFiles, isForeign } from './foreign-files.ts';

const places = Object.values<OwnFile>(ownFiles).map(({ place }) => place(nodePaths('/')));

/** The files on the page of owned files, which parts.test.ts compares with the parts; a name with `*` as its lock. */
const owned = ownedFiles()
  .map(({ path }) => path.replace(/\*$/, ''))
  .filter((path) => path.startsWith('/'));

test('the committed page of owned files matches the table', () => {
  const page = readFileSync(new URL('../../../docs/usage/files.md', import.meta.url), 'utf8');
  expect(page, 'run: npm run docs').toBe(filesPage());
});

describe('a file that Slipway writes', () => {
  test.each(owned)('has a format or a reason to omit it: %s', (path) => {
    expect([places.includes(path), isForeign(path)].filter(Boolean)).toHaveLength(1);
  });

  test('is still written if it is listed without a format', () => {
    const unknown = Object.keys(foreignFiles).filter(
      (each) => !owned.some((path) => (each.endsWith('/') ? path.startsWith(each) : path === each)),
    );
    expect(unknown).toEqual([nodePaths('/').slipway.events]);
  });

  test('is on the page of owned files if it has a format and a fixed name', () => {
    expect(places.filter((path) => !path.includes('*') && !owned.includes(path))).toEqual([]);
  });
});
