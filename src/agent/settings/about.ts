import * as z from 'zod/mini';

/** Gives a setting its description for people: the JSON Schema and the reference page are made of these. */
export function about<Schema extends z.ZodMiniType>(description: string, schema: Schema): Schema {
  return schema.check(z.describe(description));
}
