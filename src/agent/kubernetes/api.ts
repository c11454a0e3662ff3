import * as z from 'zod/mini';
import { NodeError } from '../engine/errors.ts';
import type { Host, HostReader, HttpRequest, HttpResponse, HttpSend } from '../engine/host.ts';
import { jsonFault, readJson } from '../engine/json.ts';
import type { Content } from '../engine/secret.ts';
import type { ApiAccess } from './kubeconfig.ts';
import { apiRefusal } from './refusal.ts';

/** The name under which Slipway owns the fields that it applies (kubernetes.io, "Server-Side Apply"). */
export const fieldManager = 'slipway';

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
  const request = { url: `${server}${path}`, headers: { accept: forms[form] }, trust };
  const response = await answered(request, () => host.get(request));
  if (response.status === 404) {
    return undefined;
  }
  if (response.status !== 200) {
    throw apiRefusal(response, `read ${path}`, host.now());
  }
  return objectIn(response, path, schema);
}

/**
 * Reads the objects at a path of a list (`listPath`), whole or only their metadata. Returns an empty list if the kind
 * does not exist yet. Throws the errors of `readApi`.
 */
export async function readList<Item extends z.ZodMiniType>(
  host: HostReader,
  access: ApiAccess,
  path: string,
  item: Item,
  form: 'whole' | 'listMetadata' = 'whole',
): Promise<readonly z.output<Item>[]> {
  // An empty list of metadata has `items: null` (seen with Kubernetes 1.36).
  const list = z.object({ items: z.nullable(z.array(item)) });
  return (await readApi(host, access, path, list, form))?.items ?? [];
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
  const query = `?fieldManager=${fieldManager}&force=${force}`;
  await change(host, access, `apply ${path}`, {
    method: 'PATCH',
    url: `${access.server}${path}${query}`,
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: object,
  });
}

/** Deletes the object at a path; does nothing if the object does not exist. Throws the errors of `applyObject`. */
export async function deleteObject(host: Host, access: ApiAccess, path: string): Promise<void> {
  await change(host, access, `delete ${path}`, { method: 'DELETE', url: `${access.server}${path}` }, [404]);
}

async function change(
  host: Host,
  { trust }: ApiAccess,
  what: string,
  request: Omit<HttpSend, 'trust'>,
  allowed: readonly number[] = [],
): Promise<void> {
  const complete = { ...request, headers: { accept: forms.whole, ...request.headers }, trust };
  const response = await answered(complete, () => host.send(complete));
  const { status } = response;
  if ((status < 200 || status > 299) && !allowed.includes(status)) {
    throw apiRefusal(response, what, host.now());
  }
}

/** Returns the answer; throws `ApiUnavailable` if none arrives. */
async function answered(request: HttpRequest, send: () => Promise<HttpResponse>): Promise<HttpResponse> {
  try {
    return await send();
  } catch (thrown) {
    if (!(thrown instanceof NodeError)) {
      throw thrown;
    }
    const { origin } = new URL(request.url);
    throw new NodeError(
      'ApiUnavailable',
      `The Kubernetes API at ${origin} does not answer this node: ${thrown.message}`,
      { cause: thrown },
    );
  }
}

function objectIn<Schema extends z.ZodMiniType>({ body }: HttpResponse, path: string, schema: Schema) {
  const { success, data, error } = readJson(schema, body);
  if (success) {
    return data;
  }
  const message = `The Kubernetes API answers ${path} with something else: ${jsonFault(error)}. It is asked again.`;
  throw new NodeError('UnexpectedAnswer', message, { cause: error });
}
