import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const repository = join(import.meta.dirname, '../../..');
const page = readFileSync(join(repository, 'test/README.md'), 'utf8');
const rows = [...page.matchAll(/^\| `([\w/]+)\/` \| (.*) \|$/gm)]
  .map(([, folder = '', tests = '']) => ({ folder, tests }))
  .filter(({ folder }) => existsSync(join(repository, 'src', folder)));

test('test/README.md names the tests of each source folder', () => {
  expect(rows.map(({ folder }) => folder).toSorted()).toEqual(folders().toSorted());
});

test.each(rows)('test/README.md names only existing tests for $folder', ({ tests }) => {
  const named = [...tests.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
  expect(named).not.toEqual([]);
  expect(named.filter((name) => !exists(name))).toEqual([]);
});

/** Returns the source folders that need a row in test/README.md: the top folders, those of the agent, and each part. */
function folders(): readonly string[] {
  const [top, agent, parts] = ['', 'agent', 'agent/parts'].map(inside);
  return [...(top ?? []), ...(agent ?? []).filter((name) => name !== 'agent/parts'), ...(parts ?? [])];
}

function inside(folder: string): readonly string[] {
  return readdirSync(join(repository, 'src', folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(folder, name));
}

/** True if the test exists. The page refers to a scenario in `boot/` by its number alone. */
function exists(name: string): boolean {
  const [, number] = /^boot\/scenarios\/(\d\d)$/.exec(name) ?? [];
  if (number === undefined) {
    return existsSync(join(repository, 'test', name));
  }
  return readdirSync(join(repository, 'test/boot/scenarios')).some((file) => file.startsWith(`${number}-`));
}
