import * as z from 'zod/mini';
import type { DeepReadonly } from './deep-readonly.ts';
import { schemasOf } from './section.ts';
import { cloud } from './sections/cloud.ts';
import { role } from './sections/role.ts';
import { sections } from './sections.ts';

/** The settings, merged and validated. Durations are milliseconds; an absent setting is `undefined`. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** Settings as a file writes them, with every default. */
export type WrittenSettings = z.input<typeof settingsSchema>;

/** The settings of a node: the choice of its cloud, its role, and every section. */
export const settingsSchema = z.strictObject({ cloud, role, ...schemasOf(sections) });
