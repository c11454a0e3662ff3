import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';
import { pageText, schemaText } from '../../../../packaging/settings-schema.ts';
import { consents } from '../../../../src/agent/settings/consents.ts';

function committed(name: string): string {
  return readFileSync(new URL(`../../../../docs/usage/${name}`, import.meta.url), 'utf8');
}

test('the committed JSON Schema matches the settings', () => {
  expect(committed('settings.schema.json'), 'run: node packaging/settings-schema.ts').toBe(schemaText());
});

test('the reference on the configuration page matches the settings', () => {
  const page = committed('configuration.md');
  expect(page, 'run: node packaging/settings-schema.ts').toBe(pageText(page));
});

test('every setting has a description', () => {
  const undescribed = /^\| `([^`]+)` \|.*\|\s*\|$/gm;
  expect([...pageText('').matchAll(undescribed)].map(([, path]) => path)).toEqual([]);
});

test('no setting with a default is required', () => {
  const schema: { readonly required?: unknown; readonly properties: Record<string, { required?: unknown }> } =
    JSON.parse(schemaText());
  expect(schema.required).toBeUndefined();
  expect(Object.values(schema.properties).map(({ required }) => required)).toEqual(
    Object.keys(schema.properties).map(() => undefined),
  );
});

test('the configuration page shows an example of every consent', () => {
  const rows = [...committed('configuration.md').matchAll(/^\| `(\w+)` \| .+ \| `([^`]+)` \|$/gm)];
  expect(Object.fromEntries(rows.map(([, name, example]) => [name, example]))).toEqual(
    Object.fromEntries(Object.entries(consents).map(([name, { example }]) => [name, example])),
  );
});

test('every setting is read by code outside src/agent/settings', () => {
  expect(unread([...settingNames(), 'k3s.shineOnMars'])).toEqual(['k3s.shineOnMars']);
});

function settingNames(): readonly string[] {
  return [...pageText('').matchAll(/^\| `([\w.]+)` \|/gm)].map(([, path = '']) => path);
}

/**
 * Returns the settings whose last key the program uses neither as a property, nor in a destructuring, nor as a string.
 */
function unread(names: readonly string[]): readonly string[] {
  const code = program();
  return names.filter((name) => {
    const key = name.split('.').at(-1);
    return !new RegExp(`\\.${key}\\b|[{,]\\s*${key}\\b[^;{}]*\\}\\s*[=)]|"${key}"`).test(code);
  });
}

function program(): string {
  const src = new URL('../../../../src/', import.meta.url);
  const isOfSettings = (name: string) => /^agent\/settings\/|\/settings(-rules|-forms)?\.ts$/.test(name);
  const entryPoints = readdirSync(src, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !isOfSettings(name))
    .map((name) => fileURLToPath(new URL(name, src)));
  const { outputFiles } = buildSync({ entryPoints, outdir: 'unused', write: false });
  return outputFiles.map(({ text }) => text).join('\n');
}
