import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { pageText, schemaText } from '../../../../packaging/settings-schema.ts';

function committed(name: string): string {
  return readFileSync(new URL(`../../../../docs/usage/${name}`, import.meta.url), 'utf8');
}

test('the committed JSON Schema is the one of the settings', () => {
  expect(committed('settings.schema.json'), 'run: node packaging/settings-schema.ts').toBe(schemaText());
});

test('the reference on the configuration page is the one of the settings', () => {
  const page = committed('configuration.md');
  expect(page, 'run: node packaging/settings-schema.ts').toBe(pageText(page));
});

test('every setting has a description', () => {
  const undescribed = /^\| `([^`]+)` \|.*\|\s*\|$/gm;
  expect([...pageText('').matchAll(undescribed)].map(([, path]) => path)).toEqual([]);
});

test('nothing with a default has to be written, in no section', () => {
  const schema: { readonly required?: unknown; readonly properties: Record<string, { required?: unknown }> } =
    JSON.parse(schemaText());
  expect(schema.required).toBeUndefined();
  expect(Object.values(schema.properties).map(({ required }) => required)).toEqual(
    Object.keys(schema.properties).map(() => undefined),
  );
});
