import * as z from 'zod/mini';

/**
 * Commas of a text that is read, about as many as it has values. Nothing that is asked or kept has nearly as many, while
 * an answer of four megabytes has room for two million, each of which a schema may find wrong in half a kilobyte.
 */
const mostCommas = 50_000;

/**
 * Returns what a JSON text from outside holds, as a schema reads it: the text of a server, a program or a file that may be
 * damaged or of another release. `undefined` if it is not JSON or not what the schema says.
 */
export function parseJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
): z.output<Schema> | undefined {
  return readJson(schema, text).data;
}

/** The same, with the issues of the schema for a caller that names them. */
export function readJson<Schema extends z.ZodMiniType>(schema: Schema, text: string) {
  return z.safeParse(schema, jsonOf(text));
}

function jsonOf(text: string): unknown {
  if (text.split(',', mostCommas + 1).length > mostCommas) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
