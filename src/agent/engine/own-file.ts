import * as z from 'zod/mini';
import { parseJson } from './json.ts';

/** Returns the text of one of Slipway's files: JSON with the format number first, then the content. */
export function renderOwn({ format }: { readonly format: number }, content: object): string {
  return `${JSON.stringify({ format, ...content }, undefined, 2)}\n`;
}

/**
 * Returns the content of one of Slipway's files, whatever its format number, and even without one. Ignores fields that
 * the schema does not name.
 *
 * Returns `undefined` if the file is empty or damaged, or if a field that the schema names is missing or of another
 * type.
 */
export function readOwn<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
): z.output<Schema> | undefined {
  // The text of a missing file is empty. To learn that it is not JSON would cost much in each pass.
  return text === '' ? undefined : z.safeParse(schema, parseJson(content, text)).data;
}

const content = z.pipe(
  z.looseObject({ format: z.optional(z.number()) }),
  z.transform(({ format: _, ...fields }): unknown => fields),
);
