import * as z from 'zod/mini';

/**
 * A JSON text with more commas is rejected without parsing. There is about one comma per value, and expected
 * answers and files have far fewer. But a text of four megabytes can contain two million values, and a schema may
 * report an issue of half a kilobyte for each.
 */
const mostCommas = 50_000;

/** What a schema read in a value: the data, or the issues that it found. */
export type Parsed<Data> =
  | { readonly success: true; readonly data: Data; readonly error?: undefined }
  | { readonly success: false; readonly data?: undefined; readonly error: z.core.$ZodError };

/**
 * Parses a JSON text from a server, a program, or a file that may be damaged or written by another release. Returns
 * `undefined` if the text is not JSON or does not match the schema.
 */
export function parseJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
): z.output<Schema> | undefined {
  return readJson(schema, text).data;
}

/** Parses a JSON text as `parseJson` does, and returns the data or the issues. */
export function readJson<Schema extends z.ZodMiniType>(
  schema: Schema,
  text: string,
): Parsed<z.output<Schema>> {
  // A pipe would be a new schema at each call, which costs more than the parsing.
  const parsed = z.safeParse(json, text);
  return parsed.success ? z.safeParse(schema, parsed.data) : parsed;
}

/** Returns the first issue that a schema found as a clause, such as `spec.path is missing or of another kind`. */
export function jsonFault({ issues: [first] }: z.core.$ZodError): string {
  const place = first?.path.join('.');
  if (place) {
    return `${place} is missing or of another kind`;
  }
  return first?.code === 'custom' ? first.message : 'the whole is of another kind';
}

const json = z.transform((text: string, { issues }): unknown => {
  if (hasManyCommas(text)) {
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

function hasManyCommas(text: string): boolean {
  let at = -1;
  for (let commas = 0; commas <= mostCommas; commas += 1) {
    at = text.indexOf(',', at + 1);
    if (at === -1) {
      return false;
    }
  }
  return true;
}
