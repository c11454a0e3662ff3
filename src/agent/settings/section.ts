import type * as z from 'zod/mini';
import type { DeepReadonly } from './read-only.ts';

/** The schema of a section of the settings: a map of settings. */
export type SectionSchema = z.ZodMiniType<object, object>;

/** The section that a schema makes of what was written, as the program gets it. */
export type Section<Schema extends SectionSchema> = DeepReadonly<z.output<Schema>>;
