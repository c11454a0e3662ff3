import { readFileSync, writeFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { defaults } from '../src/agent/settings/defaults.ts';
import { pathText, valueAt } from '../src/agent/settings/path.ts';
import { settingsSchema } from '../src/agent/settings/schema.ts';

// Writes the settings reference in docs/usage from the definition that validates the settings; run as `node
// packaging/settings-schema.ts`.

type JsonSchema = z.core.JSONSchema.BaseSchema;

const schemaFile = new URL('../docs/usage/settings.schema.json', import.meta.url);
const pageFile = new URL('../docs/usage/configuration.md', import.meta.url);
const begin = '<!-- made by packaging/settings-schema.ts from here on -->';

if (import.meta.main) {
  writeFileSync(schemaFile, schemaText());
  writeFileSync(pageFile, pageText(readFileSync(pageFile, 'utf8')));
}

/** Returns the JSON Schema of a settings file. Every setting that has a default is optional in this schema. */
export function schemaText(): string {
  const schema = withDefaults(z.toJSONSchema(settingsSchema, { io: 'input' }), defaults);
  return `${formatted(JSON.stringify({ title: 'Slipway settings', ...schema }, undefined, 2))}\n`;
}

/** Puts each list of plain values on one line if it fits within 110 columns, as Biome does. */
function formatted(json: string): string {
  return json.replace(/^( *)(.*)\[\n([^[\]{}]*?)\n *\](,?)$/gm, (text, indent, key, items: string, comma) => {
    const line = `${indent}${key}[${items.trim().replace(/\n */g, ' ')}]${comma}`;
    return line.length <= 110 ? line : text;
  });
}

function withDefaults(schema: JsonSchema, value: unknown): JsonSchema {
  if (value === undefined) {
    return schema;
  }
  if (!schema.properties) {
    return { ...schema, default: value };
  }
  const { required: _, ...rest } = schema;
  const properties = Object.entries(schema.properties).map(([key, inner]) => [
    key,
    withDefaults(asSchema(inner), valueAt(value, [key])),
  ]);
  return { ...rest, properties: Object.fromEntries(properties) };
}

/** Returns the page with a new settings reference below its marker; keeps the text above the marker. */
export function pageText(page: string): string {
  const [introduction = ''] = page.split(begin);
  const sections = Object.entries(z.toJSONSchema(settingsSchema, { io: 'input' }).properties ?? {});
  const tables = [
    table(
      '',
      '',
      sections.filter(([, schema]) => !isSection(schema)),
    ),
    ...sections
      .filter(([, schema]) => isSection(schema))
      .map(([key, schema]) => table(`### ${key}`, asSchema(schema).description ?? '', [[key, schema]])),
  ];
  return `${introduction}${begin}\n\n${tables.join('\n')}`;
}

type Entry = readonly [key: string, schema: z.core.JSONSchema._JSONSchema];

function table(heading: string, description: string, entries: readonly Entry[]): string {
  const lines = entries.flatMap(([key, schema]) => rows([key], asSchema(schema)));
  const head = [heading, description].filter(Boolean).map((text) => `${text}\n\n`);
  return `${head.join('')}| setting | default | meaning |\n|---|---|---|\n${lines.join('')}`;
}

function rows(path: readonly string[], schema: JsonSchema): readonly string[] {
  if (isSection(schema)) {
    return Object.entries(schema.properties ?? {}).flatMap(([key, inner]) =>
      rows([...path, key], asSchema(inner)),
    );
  }
  const value = valueAt(defaults, path);
  const shown = value === undefined ? '' : `\`${JSON.stringify(value).replace(/^"(.*)"$/, '$1')}\``;
  const choices = schema.enum?.map((choice) => `\`${choice}\``).join(', ');
  const meaning = [schema.description, choices && `One of ${choices}.`].filter(Boolean).join(' ');
  return [`| \`${pathText(path)}\` | ${shown} | ${meaning} |\n`];
}

function isSection(schema: z.core.JSONSchema._JSONSchema): boolean {
  return asSchema(schema).properties !== undefined;
}

function asSchema(schema: z.core.JSONSchema._JSONSchema): JsonSchema {
  return typeof schema === 'boolean' ? {} : schema;
}
