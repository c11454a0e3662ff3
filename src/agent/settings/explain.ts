import { printableLine } from '../engine/printable.ts';
import { Secret } from '../engine/secret.ts';
import { inlineYaml } from './inline-yaml.ts';
import { type Loaded, mergeAll } from './load.ts';
import { type Leaf, plain } from './merge.ts';
import { type Path, pathText, valueAt } from './path.ts';

/** Returns the settings as text for people, one line each: `path: value    # origin`. Hides secrets. */
export function explain(loaded: Loaded): string {
  const lines = shownLeaves(loaded).map(({ path, value, origin }) => ({
    text: printableLine(`${pathText(path)}: ${inlineYaml(value)}`),
    origin,
  }));
  const width = Math.min(80, Math.max(...lines.map(({ text }) => text.length)));
  return lines.map(({ text, origin }) => `${text.padEnd(width)}  # ${printableLine(origin)}\n`).join('');
}

/** Returns each setting with its path, value and origin. Hides secrets. */
export function shownSettings(
  loaded: Loaded,
): readonly { readonly path: string; readonly value: unknown; readonly origin: string }[] {
  return shownLeaves(loaded).map(({ path, value, origin }) => ({ path: pathText(path), value, origin }));
}

/**
 * Returns the leaves in the schema's order, with values as written. Hides values that the schema turns into Secrets.
 */
function shownLeaves({ settings, layers, origins }: Loaded): readonly Leaf[] {
  const written = plain(mergeAll(layers));
  return leafPaths(settings).map((path) => {
    const parsed = valueAt(settings, path);
    const value = parsed instanceof Secret ? parsed : valueAt(written, path);
    return { path, value, origin: origins[pathText(path)] ?? '' };
  });
}

function leafPaths(value: unknown, at: Path = []): readonly Path[] {
  const single =
    typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Secret;
  if (single || Object.keys(value).length === 0) {
    return [at];
  }
  return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, [...at, key]));
}
