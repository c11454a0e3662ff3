/** The path of a setting: its keys from the top, with positions in lists as numbers. */
export type Path = readonly PropertyKey[];

/**
 * A problem with one setting. The message has the form `what is wrong; the repair`. It never quotes a value, which may
 * be a secret.
 */
export interface Problem {
  readonly path: Path;
  readonly message: string;
}

/** Returns a path as a string, such as `registries.configs."docker.io".tls` or `node.labels[0]`. */
export function pathText(path: Path): string {
  return path.map((key, depth) => segment(key, depth)).join('');
}

function segment(key: PropertyKey, depth: number): string {
  if (typeof key === 'number') {
    return `[${key}]`;
  }
  const name = String(key);
  return (depth === 0 ? '' : '.') + (/^[\w+-]+$/.test(name) ? name : JSON.stringify(name));
}

/** Returns the value at a path of plain data; `undefined` if the path does not exist. */
export function valueAt(data: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (within, key) =>
      typeof within === 'object' && within !== null && Object.hasOwn(within, key)
        ? (within as Readonly<Record<PropertyKey, unknown>>)[key]
        : undefined,
    data,
  );
}

/** Returns the map at a path of plain data; an empty one if there is no map. */
export function mapAt(data: unknown, path: Path): Readonly<Record<string, unknown>> {
  const found = valueAt(data, path);
  return isMap(found) ? found : {};
}

/** True if the value is a map as parsed from YAML: an object, and not a list. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** True if a setting has a value. A key with an empty value is not given: it resets the setting. */
export function given(value: unknown): boolean {
  return value !== undefined && value !== null;
}
