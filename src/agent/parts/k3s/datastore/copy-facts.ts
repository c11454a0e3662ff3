import * as z from 'zod/mini';

/** The form of the facts about a database, as the job of a copy returns them. */
export const databaseFacts = z.object({
  bytes: z.number(),
  sha256: z.string(),
  answers: z.record(z.string(), z.readonly(z.array(z.string()))),
});
