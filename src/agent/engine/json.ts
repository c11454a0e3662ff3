import * as z from 'zod/mini';

/**
 * The most commas of a text that is read, about one per value. No answer or file of ours has nearly as many, while four
 * megabytes have room for two million, each of which a schema may report in half a kilobyte.
 */
const mostCommas = 50_000;

/**
 * Returns the data of a JSON text from outside, as a schema reads it: from a server, a program or a file that may be
 * damaged or of another release. `undefined` if it is not JSON or does not match the schema.
 */
export function parseJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
): z.output<Schema> | undefined {
  return readJson(schema, text).data;
}

/** Returns the same, with the issues for a caller that names them. */
export function readJson<Schema extends z.ZodMiniType>(schema: Schema, text: string) {
  return z.safeParse(z.pipe(json, schema), text);
}

/** Returns the first issue of a text, as a clause: `spec.path is missing or of another kind`. */
export function jsonFault({ issues: [first] }: z.core.$ZodError): string {
  const place = first?.path.join('.');
  if (place) {
    return `${place} is missing or of another kind`;
  }
  return first?.code === 'custom' ? first.message : 'the whole is of another kind';
}

const json = z.transform((text: string, { issues }): unknown => {
  if (text.split(',', mostCommas + 1).length > mostCommas) {
    return refuse(`it has more than ${mostCommas} commas`);
  }
  try {
    return JSON.parse(text);
  } catch {
    return refuse('it is not JSON');
  }

  function refuse(message: string): undefined {
    issues.push({ code: 'custom', message, input: undefined });
  }
});
