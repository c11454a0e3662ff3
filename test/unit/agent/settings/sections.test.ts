import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { defaults } from '../../../../src/agent/settings/defaults.ts';
import { knownAt } from '../../../../src/agent/settings/known-keys.ts';
import { misfits } from '../../../../src/agent/settings/rules.ts';
import {
  type Sections,
  type SettingsSection,
  sensitiveUrls,
} from '../../../../src/agent/settings/section.ts';
import { sections } from '../../../../src/agent/settings/sections.ts';

describe.each(Object.entries<Sections[string]>(sections))('the section %s', (name, section) => {
  test('has consistent defaults that its schema accepts', () => {
    expect(z.safeParse(section.schema, section.defaults).success).toBe(true);
    expect(misfits({ [name]: section.defaults })).toEqual([]);
  });

  test('causes no contradiction if its value is not a map', () => {
    for (const written of [undefined, null, 'text', 5, []]) {
      expect(misfits({ [name]: written })).toEqual([]);
    }
  });

  test('lists only existing settings as URLs that need consent for plain http', () => {
    const urls = sensitiveUrls({ [name]: section }, defaults).map(({ path }) => path);
    for (const path of urls) {
      expect(knownAt(path.slice(0, -1))).toContain(path.at(-1));
    }
  });
});

test('the settings have every section, in the order of the table', () => {
  expect(knownAt([])).toEqual(['cloud', 'role', ...Object.keys(sections)]);
  expect(Object.keys(defaults)).toEqual(['cloud', ...Object.keys(sections)]);
});

test('the architecture page names the file of every setting', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const rows = [...page.matchAll(/^\| (`.+`) \| `([\w/]+\/(?:settings|KEY)\.ts)`/gm)];
  const files = rows.flatMap(([, keys = '', file = '']) =>
    [...keys.matchAll(/`(\w+)`/g)].map(
      ([, key = '']) => [key, `src/agent/${file.replace('KEY', key)}`] as const,
    ),
  );
  expect(files.map(([key]) => key).sort()).toEqual([...knownAt([])].sort());
  expect(files.map(([, file]) => file).filter((file) => !existsSync(file))).toEqual([]);
});

test('a section with missing or invalid defaults does not compile', () => {
  const schema = z.strictObject({ depth: z.number() });
  // @ts-expect-error The section has no defaults.
  const bare = { mine: { schema } } satisfies Sections;
  // @ts-expect-error A depth is a number.
  const misread = { schema, defaults: { depth: 'deep' } } satisfies SettingsSection<typeof schema>;
  expect([bare, misread]).toHaveLength(2);
});
