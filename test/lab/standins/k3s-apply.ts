/**
 * Server-side apply: merges an object into the live object, and records which field manager owns which field.
 *
 * Models sigs.k8s.io/structured-merge-diff (fields of maps merge one by one, lists are atomic; a field that its last
 * manager no longer applies is removed) and apimachinery's managedfields (messages about conflicts). If an object of
 * the lab has no managedFields, no manager owns its fields.
 */
import { isDeepStrictEqual } from 'node:util';
import { withDefaults } from './k3s-helm-crd.ts';
import type { ApiObject } from './k3s-objects.ts';
import { json, type Reply, status } from './k3s-reply.ts';
import { invalidObject } from './k3s-validation.ts';

export interface Application {
  readonly target: {
    readonly apiVersion: string;
    readonly resource: string;
    readonly namespace: string | undefined;
    readonly name: string;
  };
  readonly live: ApiObject | undefined;
  readonly body: string;
  readonly manager: string;
  readonly force: boolean;
}

/** One field manager's entry in metadata.managedFields (meta/v1, ManagedFieldsEntry). */
interface Managed {
  readonly manager: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  /** The paths of the leaves that the manager owns, such as `.data.token`. */
  readonly fields: readonly string[];
}

type Leaves = ReadonlyMap<string, unknown>;

export function applied(
  application: Application,
): { readonly object: ApiObject } | { readonly refused: Reply } {
  const { target, live, body, manager, force } = application;
  const wish: ApiObject = JSON.parse(body);
  const invalid = invalidObject(wish, target, live);
  if (invalid !== undefined) {
    return { refused: invalid };
  }
  const isOurs = (entry: Managed) => entry.manager === manager && entry.operation === 'Apply';
  const others = managedOf(live).filter((entry) => !isOurs(entry));
  const wanted = leavesOf(wish);
  const there = leavesOf(live ?? {});
  const conflicts = conflictsOf(wanted, there, others);
  if (conflicts.length > 0 && !force) {
    return { refused: conflict(conflicts) };
  }
  const lost = conflicts.map(({ field }) => field);
  const left = others
    .map((entry) => ({ ...entry, fields: entry.fields.filter((field) => !lost.includes(field)) }))
    .filter(({ fields }) => fields.length > 0);
  const before = managedOf(live).find(isOurs)?.fields ?? [];
  const givenUp = before.filter(
    (field) => !wanted.has(field) && !left.some(({ fields }) => fields.includes(field)),
  );
  const merged = new Map([...[...there].filter(([field]) => !givenUp.includes(field)), ...wanted]);
  const { apiVersion } = target;
  const mine: Managed = { manager, operation: 'Apply', apiVersion, fields: [...wanted.keys()] };
  return { object: withDefaults(assembled(live, wish, merged, [...left, mine])) };
}

interface Conflict {
  readonly field: string;
  readonly entry: Managed;
}

function conflictsOf(wanted: Leaves, there: Leaves, others: readonly Managed[]): readonly Conflict[] {
  return others.flatMap((entry) =>
    entry.fields
      .filter((field) => wanted.has(field) && !isDeepStrictEqual(wanted.get(field), there.get(field)))
      .map((field) => ({ field, entry })),
  );
}

/**
 * Returns the live object after an update by a program that does not use server-side apply, such as kubectl edit or
 * External Secrets: the object has the fields of `changes`, and `manager` owns each field whose value differs.
 */
export function updatedBy(manager: string, live: ApiObject | undefined, changes: ApiObject): ApiObject {
  const there = leavesOf(live ?? {});
  const wanted = leavesOf(changes);
  const changed = [...wanted.keys()].filter(
    (field) => !isDeepStrictEqual(wanted.get(field), there.get(field)),
  );
  const others = managedOf(live)
    .map((entry) => ({ ...entry, fields: entry.fields.filter((field) => !changed.includes(field)) }))
    .filter(({ fields }) => fields.length > 0);
  const { apiVersion } = changes;
  const entry: Managed = { manager, operation: 'Update', apiVersion, fields: changed };
  return assembled(live, changes, new Map([...there, ...wanted]), [...others, entry]);
}

/**
 * Returns the field managers of an object after an update that is not an apply: `manager` owns each field whose value
 * changed, and a removed field has no owner. Empty if no field has an owner.
 */
export function managersAfter(manager: string, live: ApiObject, after: ApiObject): readonly object[] {
  const there = leavesOf(live);
  const wanted = leavesOf(after);
  const changed = [...wanted.keys()].filter(
    (field) => !isDeepStrictEqual(wanted.get(field), there.get(field)),
  );
  const isMine = (entry: Managed) => entry.manager === manager && entry.operation === 'Update';
  const kept = managedOf(live).map((entry) => ({
    ...entry,
    fields: entry.fields.filter((field) => wanted.has(field) && !changed.includes(field)),
  }));
  const fields = [...(kept.find(isMine)?.fields ?? []), ...changed];
  const mine: Managed = { manager, operation: 'Update', apiVersion: live.apiVersion, fields };
  return [...kept.filter((entry) => !isMine(entry)), mine]
    .filter((entry) => entry.fields.length > 0)
    .map(entryOf);
}

function managedOf(live: ApiObject | undefined): readonly Managed[] {
  const entries: unknown = live?.metadata.managedFields;
  return Array.isArray(entries)
    ? entries.map(({ fieldsV1, ...entry }) => ({ ...entry, fields: pathsOf(fieldsV1) }))
    : [];
}

function entryOf({ fields, ...entry }: Managed): object {
  const fieldsV1: Record<string, unknown> = {};
  for (const field of fields) {
    set(
      fieldsV1,
      keysOf(field).map((key) => `f:${key}`),
      {},
    );
  }
  return { ...entry, time: '2026-01-01T00:00:00Z', fieldsType: 'FieldsV1', fieldsV1 };
}

function pathsOf(fields: object): readonly string[] {
  return Object.entries(fields).flatMap(([key, inner]) => {
    const path = `.${escaped(key.slice(2))}`;
    const below = pathsOf(inner);
    return below.length === 0 ? [path] : below.map((each) => `${path}${each}`);
  });
}

function escaped(key: string): string {
  return key.replaceAll('.', '\\.');
}

function keysOf(path: string): readonly string[] {
  return path
    .slice(1)
    .split(/(?<!\\)\./)
    .map((key) => key.replaceAll('\\.', '.'));
}

/** Returns the values of the fields that a manager can own, by the path of the field, such as `.data.token`. */
function leavesOf(object: object): Leaves {
  const found = new Map<string, unknown>();
  collect(object, '', found);
  return new Map([...found].filter(([path]) => !unowned.test(path)));
}

/** Matches fields that no manager owns: they identify the object, or the API sets them. */
const unowned =
  /^\.(apiVersion|kind|status($|\.)|metadata\.(name|namespace|uid|resourceVersion|creationTimestamp|deletionTimestamp|generation|managedFields)($|\.))/;

function collect(value: unknown, path: string, found: Map<string, unknown>): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    found.set(path, value);
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    collect(inner, `${path}.${escaped(key)}`, found);
  }
}

function conflict(conflicts: readonly Conflict[]): Reply {
  const shown = conflicts.map(({ field, entry }) => ({
    field: field.replaceAll('\\.', '.'),
    who: who(entry),
  }));
  const [first] = shown;
  const message =
    shown.length === 1 && first !== undefined
      ? `Apply failed with 1 conflict: conflict with ${first.who}: ${first.field}`
      : `Apply failed with ${shown.length} conflicts: ${shown.map(({ field, who }) => `conflict with ${who}:\n- ${field}`).join('\n')}`;
  const { body } = status(409, 'Conflict', message);
  const causes = shown.map(({ field, who }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${who}`,
    field,
  }));
  return json(409, { ...JSON.parse(body), details: { causes } });
}

function who({ manager, apiVersion }: Managed): string {
  return `"${manager}" using ${apiVersion}`;
}

function assembled(
  live: ApiObject | undefined,
  wish: ApiObject,
  leaves: Leaves,
  managedFields: readonly Managed[],
): ApiObject {
  const made: Record<string, unknown> = {};
  for (const [path, value] of leaves) {
    set(made, keysOf(path), value);
  }
  const { namespace } = wish.metadata;
  const spec = JSON.stringify(made.spec) === JSON.stringify(live?.spec);
  const generation = Number(live?.metadata.generation ?? 0) + (spec && live ? 0 : 1);
  return {
    ...made,
    apiVersion: wish.apiVersion,
    kind: wish.kind,
    metadata: {
      ...Object(made.metadata),
      ...kept(live),
      name: wish.metadata.name,
      ...(namespace !== undefined && { namespace }),
      generation,
      managedFields: managedFields.map(entryOf),
    },
    ...(live?.status !== undefined && { status: live.status }),
  };
}

function kept(live: ApiObject | undefined): object | undefined {
  if (live === undefined) {
    return undefined;
  }
  const { uid, creationTimestamp, deletionTimestamp } = live.metadata;
  return { uid, creationTimestamp, ...(deletionTimestamp !== undefined && { deletionTimestamp }) };
}

function set(into: Record<string, unknown>, [key = '', ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const inner = Object(into[key] ?? {});
  into[key] = inner;
  set(inner, rest, value);
}
