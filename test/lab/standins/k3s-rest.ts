/**
 * The REST paths of the Kubernetes API: single objects and lists, as JSON or only their metadata; creation,
 * replacement, merge patch, server-side apply and deletion.
 *
 * Models k8s.io/apiserver pkg/endpoints (paths, Status answers, PartialObjectMetadata, 406 if the requested form does
 * not exist, `items: null` in an empty list of metadata, as seen with Kubernetes 1.36) and handlers/patch.go (content
 * types; apply needs a field manager). Deliberately stricter: refuses unknown query parameters, and the types of patch
 * that Slipway does not send.
 */
import { forbidden, type User } from './k3s-admission.ts';
import type { Api } from './k3s-api.ts';
import { applied } from './k3s-apply.ts';
import { created, mergePatched, missing, replaced } from './k3s-changes.ts';
import { pageOf, selected } from './k3s-list.ts';
import { type ApiObject, namespaced, type Objects } from './k3s-objects.ts';
import { deletedPod, evicted, type PodName } from './k3s-pods.ts';
import { json, type Reply, status } from './k3s-reply.ts';

export interface RestRequest {
  readonly method: string;
  readonly pathname: string;
  readonly query: URLSearchParams;
  readonly accept: string;
  readonly contentType: string;
  readonly body: string;
}

interface Target {
  readonly apiVersion: string;
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource?: string | undefined;
}

/** True for the paths of objects: `/api/v1/...` and `/apis/GROUP/VERSION/...`. */
export function isRest(pathname: string): boolean {
  return /^\/api\/v1\/|^\/apis\/[^/]+\/[^/]+\//.test(pathname);
}

export function answerRest(api: Api, request: RestRequest, user: User): Reply {
  const target = targetOf(request.pathname, (asked) => api.objects.resolve(asked));
  if (target === undefined) {
    return status(404, 'NotFound', 'the server could not find the requested resource');
  }
  const { method, body, query } = request;
  const attempt = { method, ...target, body, fieldSelector: query.get('fieldSelector') };
  const refusal = forbidden(user, attempt, api.objects);
  if (refusal !== undefined) {
    return status(403, 'Forbidden', refusal);
  }
  if (isNamed(target) && target.resource === 'pods' && (target.subresource || method === 'DELETE')) {
    return endOfPod(api, target, request);
  }
  const unknown = [...query.keys()].find((key) => !queries[method]?.includes(key));
  if (unknown !== undefined) {
    return status(400, 'BadRequest', `the query ${unknown} is not modelled for ${method}`);
  }
  return (
    answers[method]?.(api, target, request, user) ??
    status(405, 'MethodNotAllowed', `${method} is not modelled`)
  );
}

const queries: Readonly<Record<string, readonly string[]>> = {
  GET: ['labelSelector', 'fieldSelector', 'limit', 'continue'],
  POST: ['fieldManager'],
  PUT: ['fieldManager'],
  PATCH: ['fieldManager', 'force'],
  DELETE: [],
};

/** Returns the field manager of an update. If the request names none, the real API uses the name of the program. */
function managerIn(query: URLSearchParams): string {
  return query.get('fieldManager') ?? 'unknown';
}

type Answer = (api: Api, target: Target, request: RestRequest, user: User) => Reply;

const answers: Readonly<Record<string, Answer>> = {
  GET: read,
  POST: ({ objects }, target, { body }) => withNamespace(objects, target) ?? created(objects, target, body),
  PUT: ({ objects }, target, { body, query }, user) =>
    replaced(objects, target, body, user, managerIn(query)),
  PATCH: patch,
  DELETE: remove,
};

function targetOf(pathname: string, resolve: (asked: string) => string | undefined): Target | undefined {
  const parts = pathname.slice(1).split('/').map(decodeURIComponent);
  const [group, version] = parts[0] === 'api' ? ['', parts[1]] : [parts[1] ?? '', parts[2]];
  const rest = parts.slice(parts[0] === 'api' ? 2 : 3);
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [plural = '', name, ...more] = isNamespaced ? rest.slice(2) : rest;
  const resource = group === '' ? plural : `${plural}.${group}`;
  if (
    resolve(resource) !== resource ||
    more.length > (resource === 'pods' && more[0] === 'eviction' ? 1 : 0) ||
    (name !== undefined && namespaced(resource) !== isNamespaced)
  ) {
    return undefined;
  }
  const apiVersion = group === '' ? `${version}` : `${group}/${version}`;
  return { apiVersion, resource, namespace: isNamespaced ? rest[1] : undefined, name, subresource: more[0] };
}

function isNamed(target: Target): target is Target & PodName {
  return target.namespace !== undefined && target.name !== undefined;
}

/** Answers an eviction or the deletion of a pod. */
function endOfPod(
  { objects, now = Date.now }: Api,
  target: Target & PodName,
  { method, body }: RestRequest,
): Reply {
  if (target.subresource === undefined) {
    return deletedPod(objects, target, body, now());
  }
  return method === 'POST'
    ? evicted(objects, target, body, now())
    : status(405, 'MethodNotAllowed', `${method} of an eviction is not modelled`);
}

function read({ objects }: Api, target: Target, { query, accept }: RestRequest): Reply {
  const { resource, namespace, name } = target;
  const form = /as=(\w+)/.exec(accept)?.[1];
  if (
    form !== undefined &&
    form !== (name === undefined ? 'PartialObjectMetadataList' : 'PartialObjectMetadata')
  ) {
    return status(406, 'NotAcceptable', `you requested ${form}, but the requested object is of another form`);
  }
  const shown = (object: ApiObject) => (form === undefined ? object : metadataOf(object));
  if (name === undefined) {
    const { metadata, page } = pageOf(selected(objects.list(resource, namespace), query), query);
    const isEmptyMetadata = form !== undefined && page.length === 0;
    const list = { apiVersion: target.apiVersion, kind: 'List', metadata };
    return json(200, { ...list, items: isEmptyMetadata ? null : page.map(shown) });
  }
  const found = objects.get(resource, namespace, name);
  return found === undefined ? missing(target) : json(200, shown(found));
}

function metadataOf({ metadata }: ApiObject): object {
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata };
}

/** Returns the API's refusal if the namespace of a new object does not exist. */
function withNamespace(objects: Objects, { namespace }: Target): Reply | undefined {
  return namespace === undefined || objects.get('namespaces', undefined, namespace) !== undefined
    ? undefined
    : status(404, 'NotFound', `namespaces "${namespace}" not found`);
}

function patch({ objects }: Api, target: Target, request: RestRequest, user: User): Reply {
  const { contentType, query, body } = request;
  const { resource, namespace, name } = target;
  if (contentType === 'application/merge-patch+json' && name !== undefined) {
    return mergePatched(objects, target, body, user, managerIn(query));
  }
  if (contentType !== 'application/apply-patch+yaml' || name === undefined) {
    return status(415, 'UnsupportedMediaType', `a patch of the type ${contentType} is not modelled`);
  }
  const manager = query.get('fieldManager');
  if (manager === null) {
    return status(
      422,
      'Invalid',
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const refusal = withNamespace(objects, target);
  if (refusal !== undefined) {
    return refusal;
  }
  const live = objects.get(resource, namespace, name);
  const result = applied({
    target: { ...target, name },
    live,
    body,
    manager,
    force: query.get('force') === 'true',
  });
  return 'refused' in result
    ? result.refused
    : json(live ? 200 : 201, objects.put(resource, namespace, result.object));
}

function remove({ objects }: Api, target: Target, { body }: RestRequest): Reply {
  const { resource, namespace, name } = target;
  const found = name === undefined ? undefined : objects.get(resource, namespace, name);
  if (found === undefined || name === undefined) {
    return missing(target);
  }
  const { uid, resourceVersion } = Object(body ? JSON.parse(body).preconditions : undefined);
  const { metadata } = found;
  if ((uid ?? metadata.uid) !== metadata.uid) {
    return status(409, 'Conflict', `Precondition failed: UID in precondition: ${uid}`);
  }
  if ((resourceVersion ?? metadata.resourceVersion) !== metadata.resourceVersion) {
    return status(
      409,
      'Conflict',
      `Precondition failed: ResourceVersion in precondition: ${resourceVersion}`,
    );
  }
  if (hasFinalizers(found)) {
    const deletionTimestamp = found.metadata.deletionTimestamp ?? '2026-01-01T00:00:00Z';
    return json(
      200,
      objects.put(resource, namespace, { ...found, metadata: { ...found.metadata, deletionTimestamp } }),
    );
  }
  objects.remove(resource, namespace, name);
  return json(200, { apiVersion: 'v1', kind: 'Status', status: 'Success' });
}

/** True if the API keeps a deleted object until controllers have removed its finalizers (metadata.finalizers). */
function hasFinalizers({ metadata: { finalizers } }: ApiObject): boolean {
  return Array.isArray(finalizers) && finalizers.length > 0;
}
