/**
 * Changes of objects by POST, PUT and JSON merge patch.
 *
 * Models k8s.io/apiserver pkg/registry/generic/registry/store.go (409 for an object that exists or whose version is
 * stale, an unchanged version after a change without effect, `generateName`) and RFC 7386. All of this was observed
 * with a kube-apiserver 1.36.3, as was that a PUT without a uid creates a missing Lease. Deliberately stricter: a PUT
 * must name the version that it replaces.
 */
import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { invalidAnnotations, invalidEvent, refusedChange, type User } from './k3s-admission.ts';
import { managersAfter } from './k3s-apply.ts';
import type { ApiObject, Objects } from './k3s-objects.ts';
import { json, type Reply, status } from './k3s-reply.ts';

/** The place of an object; `name` is `undefined` for the place of a whole list. */
export interface Place {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
}

/** Returns `resource "name"`, as it appears in the API's messages. */
export function called({ resource, name }: Place): string {
  return `${resource} "${name}"`;
}

export function missing(place: Place): Reply {
  return status(404, 'NotFound', `${called(place)} not found`);
}

/** Creates an object, as a POST to a list does. */
export function created(objects: Objects, place: Place, body: string): Reply {
  const object: ApiObject = JSON.parse(body);
  if (object.metadata.resourceVersion !== undefined) {
    return status(500, 'InternalError', 'resourceVersion should not be set on objects to be created');
  }
  const invalid = place.resource === 'events' ? invalidEvent(object) : invalidMetadata(object, place);
  if (invalid !== undefined) {
    return status(422, 'Invalid', invalid);
  }
  const { generateName, name: given } = object.metadata;
  const name = given ?? `${generateName}${randomBytes(3).toString('hex').slice(0, 5)}`;
  if (objects.get(place.resource, place.namespace, name) !== undefined) {
    return status(409, 'AlreadyExists', `${called({ ...place, name })} already exists`);
  }
  const { namespace } = place;
  const metadata = { ...object.metadata, name, ...(namespace !== undefined && { namespace }) };
  return json(201, objects.put(place.resource, namespace, { ...object, metadata }));
}

function invalidMetadata({ metadata, kind }: ApiObject, { namespace }: Place): string | undefined {
  if (metadata.namespace !== undefined && metadata.namespace !== namespace) {
    return 'the namespace of the provided object does not match the namespace sent on the request';
  }
  return invalidAnnotations(kind, metadata.name, Object(metadata.annotations));
}

/** Replaces an object whose `resourceVersion` is still the one in the request. */
export function replaced(objects: Objects, place: Place, body: string, user: User, manager: string): Reply {
  const live = found(objects, place);
  const object: ApiObject = JSON.parse(body);
  if (live === undefined) {
    return replacedMissing(objects, place, object);
  }
  if ((object.metadata.uid ?? live.metadata.uid) !== live.metadata.uid) {
    return conflict(place, otherUid(object, live.metadata.uid));
  }
  if (object.metadata.resourceVersion === undefined) {
    const why = 'metadata.resourceVersion: Invalid value: 0: must be specified for an update';
    return status(422, 'Invalid', `${called(place)} is invalid: ${why}`);
  }
  if (object.metadata.name !== place.name) {
    const why = `the name of the object (${object.metadata.name}) does not match the name on the URL (${place.name})`;
    return status(400, 'BadRequest', why);
  }
  return updated(objects, place, live, object, user, manager);
}

/** Answers a PUT of a missing object: creates a Lease; refuses any other kind, and any object with a uid. */
function replacedMissing(objects: Objects, place: Place, object: ApiObject): Reply {
  if (object.metadata.uid !== undefined) {
    return conflict(place, otherUid(object, ''));
  }
  if (place.resource !== 'leases.coordination.k8s.io') {
    return missing(place);
  }
  const { resourceVersion: _, ...metadata } = object.metadata;
  return json(201, objects.put(place.resource, place.namespace, { ...object, metadata }));
}

function otherUid({ metadata: { uid } }: ApiObject, live: unknown): string {
  return `StorageError: invalid object, Code: 4, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${live}`;
}

/** Merges a patch into an object (RFC 7386). With a `resourceVersion`, the object must still have that version. */
export function mergePatched(
  objects: Objects,
  place: Place,
  body: string,
  user: User,
  manager: string,
): Reply {
  const live = found(objects, place);
  if (live === undefined) {
    return missing(place);
  }
  const merged: ApiObject = Object(merge(live, JSON.parse(body)));
  if (merged.metadata.uid !== live.metadata.uid) {
    const why = `metadata.uid: Invalid value: "${merged.metadata.uid}": field is immutable`;
    return status(422, 'Invalid', `${live.kind} "${live.metadata.name}" is invalid: ${why}`);
  }
  return updated(objects, place, live, merged, user, manager);
}

function found(objects: Objects, { resource, namespace, name }: Place): ApiObject | undefined {
  return name === undefined ? undefined : objects.get(resource, namespace, name);
}

function updated(
  objects: Objects,
  place: Place,
  live: ApiObject,
  wish: ApiObject,
  user: User,
  manager: string,
): Reply {
  if (wish.metadata.resourceVersion !== live.metadata.resourceVersion) {
    return conflict(place, 'the object has been modified; please apply your changes to the latest version');
  }
  const invalid = invalidAnnotations(live.kind, live.metadata.name, Object(wish.metadata.annotations));
  if (invalid !== undefined) {
    return status(422, 'Invalid', invalid);
  }
  // A request to the object's own path cannot change its status, or a field that the API sets.
  const { uid, creationTimestamp, resourceVersion, managedFields } = live.metadata;
  const { managedFields: _managers, ...wished } = wish.metadata;
  const metadata = { ...wished, uid, resourceVersion, ...(managedFields !== undefined && { managedFields }) };
  const stamped = creationTimestamp === undefined ? metadata : { ...metadata, creationTimestamp };
  const { status: _, ...rest } = wish;
  const after = { ...rest, metadata: stamped, ...(live.status !== undefined && { status: live.status }) };
  const refusal = refusedChange(user, live, after);
  if (refusal !== undefined) {
    return status(403, 'Forbidden', refusal);
  }
  if (isDeepStrictEqual(after, live)) {
    return json(200, live);
  }
  const owned = { ...stamped, managedFields: managersAfter(manager, live, after) };
  return json(200, objects.put(place.resource, place.namespace, { ...after, metadata: owned }));
}

function conflict(place: Place, why: string): Reply {
  return status(409, 'Conflict', `Operation cannot be fulfilled on ${called(place)}: ${why}`);
}

/** Merges a patch: `null` removes a field, an object merges, and any other value replaces (RFC 7386, section 2). */
function merge(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) {
    return patch;
  }
  const merged = new Map(Object.entries(isMap(target) ? target : {}));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      merged.delete(key);
    } else {
      merged.set(key, merge(merged.get(key), value));
    }
  }
  return Object.fromEntries(merged);
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
