import { isMap, type Path } from './path.ts';

/** The settings of one origin, such as a file's path, `tag k3s-role` or `command line --role`. */
export interface Layer {
  readonly origin: string;
  readonly values: unknown;
}

/** A merged value and the layer that set it. The origin of a map is the last layer that set a value in the map. */
export type Merged =
  | { readonly origin: string; readonly children: ReadonlyMap<string, Merged> }
  | { readonly origin: string; readonly value: unknown };

/**
 * Merges the layers over the lowest one. Maps merge key by key, lists and single values replace earlier values, and a
 * key without a value resets the setting to its value in the lowest layer.
 */
export function mergeLayers(lowest: Layer, layers: readonly Layer[]): Merged {
  const base = asMerged(lowest.values, lowest.origin);
  return layers.reduce((below, { values, origin }) => overlay(below, values, origin, base) ?? base, base);
}

function asMerged(value: unknown, origin: string): Merged {
  if (!isMap(value)) {
    return { origin, value };
  }
  return {
    origin,
    children: new Map(Object.entries(value).map(([key, inner]) => [key, asMerged(inner, origin)])),
  };
}

/** Maps whose keys mean something even without a value: in mirrors, `"*":` enables K3s's embedded registry. */
const namesWithoutValue: readonly string[] = ['registries.mirrors'];

function overlay(
  below: Merged | undefined,
  value: unknown,
  origin: string,
  lowest: Merged | undefined,
  path: Path = [],
): Merged | undefined {
  if (value === null || value === undefined) {
    return lowest;
  }
  if (!isMap(value)) {
    return { origin, value };
  }
  const children = new Map(childrenOf(below) ?? childrenOf(lowest));
  for (const [key, written] of Object.entries(value)) {
    const inner = namesWithoutValue.includes(path.join('.')) ? (written ?? {}) : written;
    const merged = overlay(children.get(key), inner, origin, childrenOf(lowest)?.get(key), [...path, key]);
    if (merged) {
      children.set(key, merged);
    } else {
      children.delete(key);
    }
  }
  return { origin, children };
}

/** Returns the merged settings as plain data. */
export function plain(merged: Merged): unknown {
  if (!('children' in merged)) {
    return merged.value;
  }
  return Object.fromEntries([...merged.children].map(([key, inner]) => [key, plain(inner)]));
}

export interface Leaf {
  readonly path: Path;
  readonly value: unknown;
  readonly origin: string;
}

/** Returns every list, single value and empty map, each with its path and origin. */
export function leaves(merged: Merged, path: Path = []): readonly Leaf[] {
  if (!('children' in merged)) {
    return [{ path, value: merged.value, origin: merged.origin }];
  }
  if (merged.children.size === 0) {
    return [{ path, value: {}, origin: merged.origin }];
  }
  return [...merged.children].flatMap(([key, inner]) => leaves(inner, [...path, key]));
}

/**
 * Returns the origin to name in a problem at this path: the layer that set the value or, if no layer above the defaults
 * did, the last layer that set anything in the nearest parent.
 */
export function originOf(merged: Merged, path: Path, lowest: string): string {
  const inner = childrenOf(merged)?.get(String(path[0]));
  const within = inner && path.length > 0 ? originOf(inner, path.slice(1), lowest) : lowest;
  return within === lowest ? merged.origin : within;
}

function childrenOf(merged: Merged | undefined): ReadonlyMap<string, Merged> | undefined {
  return merged && 'children' in merged ? merged.children : undefined;
}
