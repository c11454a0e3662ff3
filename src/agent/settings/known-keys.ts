import type * as z from 'zod/mini';
import type { Path } from './path.ts';
import { settingsSchema } from './schema.ts';

type Schema = z.core.$ZodType;

/** The keys that a map of settings may have. */
export function knownAt(path: Path): readonly string[] {
  return Object.keys(shapeOf(path.reduce<Schema | undefined>(inner, settingsSchema)));
}

/** Every setting whose last key is this one, wherever it is. */
export function knownNamed(key: string): readonly Path[] {
  return knownPaths().filter((path) => String(path.at(-1)).toLowerCase() === key.toLowerCase());
}

/** Every setting and section that has a name of its own. */
export function knownPaths(): readonly Path[] {
  return allPaths(settingsSchema, []);
}

function allPaths(schema: Schema, at: Path): readonly Path[] {
  return Object.entries(shapeOf(schema)).flatMap(([key, value]) => [
    [...at, key],
    ...allPaths(value, [...at, key]),
  ]);
}

function inner(schema: Schema | undefined, key: PropertyKey): Schema | undefined {
  const { def } = unwrapped(schema)?._zod ?? {};
  if (def?.type === 'array') return def.element;
  return def?.type === 'record' ? def.valueType : shapeOf(schema)[String(key)];
}

function shapeOf(schema: Schema | undefined): Readonly<Record<string, Schema>> {
  const { def } = unwrapped(schema)?._zod ?? {};
  return def?.type === 'object' ? def.shape : {};
}

/** Zod's definitions are a union by `type`; its base type does not say so. */
function unwrapped(schema: Schema | undefined): z.core.$ZodTypes | undefined {
  const known = schema as z.core.$ZodTypes | undefined;
  return known?._zod.def.type === 'optional' ? unwrapped(known._zod.def.innerType) : known;
}
