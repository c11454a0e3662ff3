/** Reads the fields of each kind of output from docs/usage/output.md, and checks outputs against them. */

/** A field, as a row of docs/usage/output.md describes it. */
export interface Field {
  /** The path of the field, such as `conditions[].type`; `?` follows each part that may be absent. */
  readonly path: string;
  /** The type of the value: `string`, `number`, `boolean`, `time`, `strings`, `any`, or the possible values. */
  readonly type: string;
}

/** Returns the rows of the page by kind of output; the rows for all kinds have the key ''. */
export function fieldsOf(page: string): ReadonlyMap<string, readonly Field[]> {
  const sections = page
    .split(/^## /m)
    .map((text, at) => [at === 0 ? '' : text.split('\n')[0], text] as const);
  return new Map(
    sections.map(([kind = '', text]) => [
      kind,
      [...text.matchAll(/^\| `(.+?)` \| (.+?) \|/gm)].map(([, path = '', type = '']) => ({ path, type })),
    ]),
  );
}

/** Lists each deviation of the outputs from the fields, and each field or fixed value that no output contains. */
export function unlike(fields: readonly Field[], outputs: readonly object[]): readonly string[] {
  const found = outputs.flatMap((output) => leavesOf(output, fields));
  const known = new Map(fields.map((field) => [bare(field.path), field]));
  return [
    ...found.filter(({ path }) => !known.has(path)).map(({ path }) => `${path} is not listed`),
    ...fields.flatMap(({ path, type }) => {
      const values = found.filter((leaf) => leaf.path === bare(path)).map(({ value }) => value);
      const wrong = values.filter((value) => !isOf(type, value)).map((value) => `${path} is ${value}`);
      const unseen = values.length === 0 ? [] : valuesOf(type).filter((value) => !values.includes(value));
      return [
        ...wrong,
        ...unseen.map((value) => `${path} is never ${value}`),
        ...(values.length === 0 ? [`${path} is never there`] : []),
        ...outputs.flatMap((output) => missingIn(output, path.split('.'), path)),
      ];
    }),
  ];
}

/** Returns the paths of the fields in `before` that are missing from `after` or have changed incompatibly. */
export function lostFields(before: readonly Field[], after: readonly Field[]): readonly string[] {
  return before.filter((field) => !after.some((other) => keeps(other, field))).map(({ path }) => path);
}

/**
 * True if `after` describes the same field as `before`, and existing readers can still read it. An optional field may
 * become mandatory, and a field with fixed values may get more values.
 */
function keeps(after: Field, before: Field): boolean {
  if (bare(after.path) !== bare(before.path)) {
    return false;
  }
  const parts = before.path.split('.');
  const isThere = after.path.split('.').every((part, at) => !part.includes('?') || parts[at]?.includes('?'));
  if (!isThere || valuesOf(before.type).length === 0) {
    return isThere && after.type === before.type;
  }
  return valuesOf(before.type).every((value) => valuesOf(after.type).includes(value));
}

interface Leaf {
  readonly path: string;
  readonly value: unknown;
}

function leavesOf(value: unknown, fields: readonly Field[], path = ''): readonly Leaf[] {
  const field = fields.find((each) => bare(each.path) === path);
  if (field !== undefined || typeof value !== 'object' || value === null) {
    return [{ path, value }];
  }
  if (Array.isArray(value)) {
    return value.flatMap((each) => leavesOf(each, fields, `${path}[]`));
  }
  return Object.entries(value).flatMap(([key, each]) =>
    leavesOf(each, fields, path === '' ? key : `${path}.${key}`),
  );
}

/**
 * Returns a message if a mandatory part of a field's path is missing from the value; otherwise returns an empty list.
 */
function missingIn(value: unknown, [part, ...rest]: readonly string[], path: string): readonly string[] {
  const [, key = '', optional, list] = /^(\w+)(\?)?(\[\])?$/.exec(part ?? '') ?? [];
  const inner: unknown = Object(value)[key];
  if (inner === undefined) {
    return optional ? [] : [`${path} is missing`];
  }
  if (rest.length === 0) {
    return [];
  }
  const each = list ? [inner].flat() : [inner];
  return each.flatMap((one) => missingIn(one, rest, path));
}

function bare(path: string): string {
  return path.replaceAll('?', '');
}

function valuesOf(type: string): readonly string[] {
  return [...type.matchAll(/`([^`]+)`/g)].map(([, value = '']) => value);
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'any':
      return true;
    case 'time':
      return typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value);
    case 'strings':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type;
    default:
      return valuesOf(type).some((each) => each === value);
  }
}
