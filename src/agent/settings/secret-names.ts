import * as z from 'zod/mini';
import { type Clouds, clouds } from '../clouds/index.ts';
import { knownPaths } from './known-keys.ts';
import { valueAt } from './path.ts';
import type { Problem } from './problem.ts';

/** Lists the secrets that the chosen cloud can have none of by that name: settings whose key ends in `secretName`. */
export function secretNameMisfits(written: unknown, table: Clouds = clouds): readonly Problem[] {
  const cloud = String(valueAt(written, ['cloud']));
  const form = Object.hasOwn(table, cloud) ? table[cloud]?.secretName : undefined;
  if (!form) return [];
  return knownPaths()
    .filter((path) => /secretName$/i.test(String(path.at(-1))))
    .flatMap((path) => {
      const name = valueAt(written, path);
      const { error } = z.safeParse(form, name);
      return typeof name === 'string' && error
        ? error.issues.slice(0, 1).map(({ message }) => ({ path, message }))
        : [];
    });
}
