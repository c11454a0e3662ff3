import * as z from 'zod/mini';
import type { DeepReadonly } from './deep-readonly.ts';
import { schemasOf } from './section.ts';
import { cloud } from './sections/cloud.ts';
import { role } from './sections/role.ts';
import { sections } from './sections.ts';

/** The settings, merged and validated. Durations are in milliseconds; an absent setting is `undefined`. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** The settings in the form of a file, before validation, with every default filled in. */
export type WrittenSettings = z.input<typeof settingsSchema>;

/** The schema of a node's settings: the choice of its cloud, its role, and every section. */
export const settingsSchema = z.strictObject({ cloud, role, ...schemasOf(sections) });
