import type * as z from 'zod/mini';
import { isMap, type Path } from './path.ts';
import { settingsSchema } from './schema.ts';

type Schema = z.core.$ZodType;

/** Returns the keys that the schema defines for the map at this path; none for a map whose keys users choose. */
export function knownAt(path: Path): readonly string[] {
  return Object.keys(shapeOf(path.reduce<Schema | undefined>(inner, settingsSchema)));
}

/** Returns the path of every setting and section whose last key is `key`, ignoring case. */
export function knownNamed(key: string): readonly Path[] {
  return allPaths(settingsSchema, []).filter(
    (path) => String(path.at(-1)).toLowerCase() === key.toLowerCase(),
  );
}

/** Returns the path of every setting and section in the schema, without keys that users name themselves. */
function allPaths(schema: Schema, at: Path): readonly Path[] {
  return Object.entries(shapeOf(schema)).flatMap(([key, value]) => [
    [...at, key],
    ...allPaths(value, [...at, key]),
  ]);
}

/** Returns the written settings without the keys that this release does not know, such as keys from a newer release. */
export function onlyKnown(written: unknown, schema: Schema | undefined = settingsSchema): unknown {
  const shape = shapeOf(schema);
  if (!isMap(written) || Object.keys(shape).length === 0) {
    return written;
  }
  const known = Object.entries(written).filter(([key]) => Object.hasOwn(shape, key));
  return Object.fromEntries(known.map(([key, value]) => [key, onlyKnown(value, shape[key])]));
}

/** A single value in the written settings, and its form in the schema. */
export interface FormedValue {
  readonly path: Path;
  readonly value: unknown;
  readonly form: Schema;
}

/** Returns every single value in the written settings whose form is known, including those in maps and lists. */
export function formedValues(
  written: unknown,
  schema: Schema = settingsSchema,
  path: Path = [],
): readonly FormedValue[] {
  const form = unwrapped(schema) ?? schema;
  if (typeof written !== 'object' || written === null) {
    return [{ path, value: written, form }];
  }
  return Object.entries(written).flatMap(([key, value]) => {
    const at = Array.isArray(written) ? Number(key) : key;
    const known = inner(form, at);
    return known ? formedValues(value, known, [...path, at]) : [];
  });
}

function inner(schema: Schema | undefined, key: PropertyKey): Schema | undefined {
  const { def } = unwrapped(schema)?._zod ?? {};
  if (def?.type === 'array') {
    return def.element;
  }
  return def?.type === 'record' ? def.valueType : shapeOf(schema)[String(key)];
}

function shapeOf(schema: Schema | undefined): Readonly<Record<string, Schema>> {
  const { def } = unwrapped(schema)?._zod ?? {};
  return def?.type === 'object' ? def.shape : {};
}

/**
 * Returns the schema inside an optional schema, and any other schema unchanged. The cast is needed because the base
 * type of Zod's schemas does not show their definitions.
 */
function unwrapped(schema: Schema | undefined): z.core.$ZodTypes | undefined {
  const known = schema as z.core.$ZodTypes | undefined;
  return known?._zod.def.type === 'optional' ? unwrapped(known._zod.def.innerType) : known;
}
