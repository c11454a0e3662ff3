import * as z from 'zod/mini';
import { type Clouds, clouds } from '../clouds/index.ts';
import { namesSecrets } from './forms.ts';
import { formedValues } from './known-keys.ts';
import { type Problem, valueAt } from './path.ts';
import { settingsSchema } from './schema.ts';

/**
 * Lists the settings whose secret name the chosen cloud does not allow; none if the cloud is unknown or allows any
 * name.
 */
export function secretNameMisfits(
  written: unknown,
  table: Clouds = clouds,
  schema: z.ZodMiniType = settingsSchema,
): readonly Problem[] {
  const cloud = String(valueAt(written, ['cloud']));
  const allowed = Object.hasOwn(table, cloud) ? table[cloud]?.secretName : undefined;
  if (!allowed) {
    return [];
  }
  return formedValues(written, schema)
    .filter(({ form, value }) => namesSecrets(form) && typeof value === 'string')
    .flatMap(({ path, value }) => {
      const { error } = z.safeParse(allowed, value);
      return (error?.issues ?? []).slice(0, 1).map(({ message }) => ({ path, message }));
    });
}
