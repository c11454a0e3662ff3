import type * as z from 'zod/mini';
import type { Host, HostReader, HttpResponse, HttpSend } from '../engine/host.ts';
import type { Content } from '../engine/secret.ts';
import { answered, objectIn } from './answer.ts';
import type { ApiAccess } from './kubeconfig.ts';
import { apiRefusal } from './refusal.ts';

/** The name under which Slipway owns the fields that it writes (kubernetes.io, "Server-Side Apply"). */
export const fieldManager = 'slipway';

/**
 * The time limit of each question in milliseconds, from the lookup of the name to the last byte of the answer. A server
 * that drops all packets delays a pass only this long, since the pass does not ask it again (engine/asking-once.ts).
 */
const deadline = 10_000;

/**
 * The Accept headers for a whole object or list, and for its metadata alone, without the values of a Secret
 * (kubernetes.io, "API Concepts", metadata-only fetches).
 */
const forms = {
  whole: 'application/json',
  objectMetadata: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  listMetadata: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
} as const;

/**
 * Reads the object or the list at a path (`objectPath`, `listPath`). Returns `undefined` if the object does not exist,
 * or if its kind does not exist yet.
 *
 * Throws `ApiUnavailable`, `ApiForbidden` or `ApiRejected`, and `UnexpectedAnswer` for an answer that does not match
 * the schema.
 */
export async function readApi<Schema extends z.ZodMiniType>(
  host: HostReader,
  { server, trust }: ApiAccess,
  path: string,
  schema: Schema,
  form: keyof typeof forms = 'whole',
): Promise<z.output<Schema> | undefined> {
  const request = { url: `${server}${path}`, headers: { accept: forms[form] }, trust, timeout: deadline };
  const response = await answered(request, () => host.get(request));
  if (response.status === 404) {
    return undefined;
  }
  if (response.status !== 200) {
    throw apiRefusal(response, `read ${path}`, host.now());
  }
  return objectIn(response, path, schema);
}

/** A request to the API. `path` begins with a slash, and may contain a query. */
export interface ApiRequest {
  readonly method: HttpSend['method'];
  readonly path: string;
  /** JSON, unless `contentType` names another format. */
  readonly body?: Content;
  readonly contentType?: string;
}

/**
 * Sends one request and returns the answer, whatever its status. Suits a caller that handles some failures itself, such
 * as an eviction that a budget delays, and makes an error of the others with `apiRefusal`. Throws `ApiUnavailable` if
 * no answer arrives.
 */
export async function sendApi(
  host: Host,
  { server, trust }: ApiAccess,
  { method, path, body, contentType = 'application/json' }: ApiRequest,
): Promise<HttpResponse> {
  const headers = { accept: forms.whole, ...(body !== undefined && { 'content-type': contentType }) };
  const content = body === undefined ? {} : { body };
  const request = { method, url: `${server}${path}`, headers, trust, timeout: deadline, ...content };
  return answered(request, () => host.send(request));
}

/**
 * Creates the object at a path, or changes it to have the fields of `object` (server-side apply). Removes the fields
 * that Slipway applied before and that `object` no longer has. `object` is JSON with `apiVersion`, `kind` and the
 * metadata's `name`.
 *
 * Throws `ApiConflict` if another field manager owns one of the fields with another value, unless `force` takes the
 * field over. Also throws `ApiUnavailable`, `ApiForbidden` and `ApiRejected`.
 */
export async function applyObject(
  host: Host,
  access: ApiAccess,
  path: string,
  object: Content,
  { force = false }: { readonly force?: boolean } = {},
): Promise<void> {
  await change(host, access, `apply ${path}`, {
    method: 'PATCH',
    path: `${path}?fieldManager=${fieldManager}&force=${force}`,
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
}

/**
 * Changes fields of the object at a path (JSON merge patch, RFC 7386): `null` removes a field, and a list replaces the
 * whole list. With `metadata.resourceVersion` in `patch`, changes only that version of the object, and otherwise throws
 * `ApiConflict`. Also throws `ApiUnavailable`, `ApiForbidden`, and `ApiRejected`, for example for a missing object.
 */
export async function patchObject(host: Host, access: ApiAccess, path: string, patch: object): Promise<void> {
  await change(host, access, `patch ${path}`, {
    method: 'PATCH',
    path: `${path}?fieldManager=${fieldManager}`,
    contentType: 'application/merge-patch+json',
    body: JSON.stringify(patch),
  });
}

/**
 * Creates an object in the list at a path (`listPath`). The API completes `metadata.generateName` to an unused name.
 * Throws `ApiConflict` if the object exists. Also throws `ApiUnavailable`, `ApiForbidden` and `ApiRejected`.
 */
export async function createObject(
  host: Host,
  access: ApiAccess,
  path: string,
  object: object,
): Promise<void> {
  await change(host, access, `create in ${path}`, {
    method: 'POST',
    path: `${path}?fieldManager=${fieldManager}`,
    body: JSON.stringify(object),
  });
}

/**
 * Replaces the whole object at a path. Throws `ApiConflict` if the object has changed since the version in the
 * `metadata.resourceVersion` of `object`, or if it was deleted, even if another one has its name now. `object` must
 * have the uid: without it, the API would create a missing Lease (seen with Kubernetes 1.36). Also throws
 * `ApiUnavailable`, `ApiForbidden` and `ApiRejected`.
 */
export async function replaceObject(
  host: Host,
  access: ApiAccess,
  path: string,
  object: { readonly metadata: { readonly uid: string; readonly resourceVersion: string } },
): Promise<void> {
  await change(host, access, `replace ${path}`, {
    method: 'PUT',
    path: `${path}?fieldManager=${fieldManager}`,
    body: JSON.stringify(object),
  });
}

/**
 * Deletes the object at a path; does nothing if the object does not exist. With `preconditions`, throws `ApiConflict`
 * if the object is another one or has changed. Also throws the other errors of `applyObject`.
 */
export async function deleteObject(
  host: Host,
  access: ApiAccess,
  path: string,
  preconditions?: { readonly uid: string; readonly resourceVersion: string },
): Promise<void> {
  const options = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions };
  const body = preconditions && JSON.stringify(options);
  await change(host, access, `delete ${path}`, { method: 'DELETE', path, ...(body && { body }) }, [404]);
}

async function change(
  host: Host,
  access: ApiAccess,
  what: string,
  request: ApiRequest,
  allowed: readonly number[] = [],
): Promise<void> {
  const response = await sendApi(host, access, request);
  const { status } = response;
  if ((status < 200 || status > 299) && !allowed.includes(status)) {
    throw apiRefusal(response, what, host.now());
  }
}
