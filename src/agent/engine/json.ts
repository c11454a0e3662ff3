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

/** The same, with the issues for a caller that names them. */
export function readJson<Schema extends z.ZodMiniType>(schema: Schema, text: string) {
  return z.safeParse(z.pipe(json, schema), text);
}

/** What is wrong with a text, by the first of its issues, as a clause: `spec.path is missing or of another kind`. */
export function jsonFault({ issues: [first] }: z.core.$ZodError): string {
  const place = first?.path.join('.');
  if (place) return `${place} is missing or of another kind`;
  return first?.code === 'custom' ? first.message : 'the whole is of another kind';
}

const json = z.transform((text: string, { issues }): unknown => {
  if (text.split(',', mostCommas + 1).length > mostCommas)
    return refuse(`it has more than ${mostCommas} commas`);
  try {
    return JSON.parse(text);
  } catch {
    return refuse('it is not JSON');
  }

  function refuse(message: string): undefined {
    issues.push({ code: 'custom', message, input: undefined });
  }
});
