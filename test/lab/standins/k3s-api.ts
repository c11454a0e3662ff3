/**
 * A small Kubernetes API with the errors of the API server: /readyz, /livez, /healthz, /version, single objects and
 * lists.
 *
 * The path /objects/<resource>/<namespace or _>/<name> exists only in the stand-in. With it, the stand-ins for kubectl
 * and kubelet need no discovery.
 */
import { randomBytes } from 'node:crypto';
import { forbidden, invalidAnnotations, invalidEvent, type User } from './k3s-admission.ts';
import { type ApiObject, namespaced, type Objects } from './k3s-objects.ts';
import { json, type Reply, status, unauthorized } from './k3s-reply.ts';
import { answerRest, isRest, type RestRequest } from './k3s-rest.ts';

export interface Api {
  readonly version: string;
  readonly objects: Objects;
  /** True once the API has started; until then, authorized requests get a 503. */
  apiReady: boolean;
}

export function answerApi(supervisor: Api, request: RestRequest, user: User): Reply {
  const { method, pathname, body } = request;
  if (!user.groups.some((group) => ['system:masters', 'system:nodes'].includes(group))) {
    return unauthorized;
  }
  if (!supervisor.apiReady) {
    return status(503, 'ServiceUnavailable', 'the server is currently unable to handle the request');
  }
  if (['/readyz', '/livez', '/healthz'].includes(pathname)) {
    return { status: 200, body: 'ok' };
  }
  if (pathname === '/version') {
    return json(200, versionInfo(supervisor.version));
  }
  if (isRest(pathname)) {
    return answerRest(supervisor, request, user);
  }
  const [root, asked, space, name] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (root !== 'objects' || asked === undefined) {
    return status(404, 'NotFound', 'the server could not find the requested resource');
  }
  const resource = supervisor.objects.resolve(asked);
  if (resource === undefined) {
    return status(404, 'NoResourceMatch', asked.split('.')[0] ?? asked);
  }
  const refusal = forbidden(user, { method, resource, name, body });
  if (refusal !== undefined) {
    return status(403, 'Forbidden', refusal);
  }
  const namespace = namespaced(resource) ? space : undefined;
  if (method === 'POST') {
    return created(supervisor, resource, namespace, body);
  }
  return object(supervisor, method, resource, namespace, name, body);
}

function object(
  { objects }: Api,
  method: string,
  resource: string,
  namespace: string | undefined,
  name: string | undefined,
  body: string,
): Reply {
  const missing = status(404, 'NotFound', `${resource} "${name}" not found`);
  if (name === undefined) {
    return json(200, { apiVersion: 'v1', kind: 'List', items: objects.list(resource, namespace) });
  }
  if (method === 'PUT') {
    return replaced(objects, resource, namespace, JSON.parse(body));
  }
  if (method === 'DELETE') {
    if (!objects.remove(resource, namespace, name)) {
      return missing;
    }
    if (resource === 'nodes') {
      objects.remove('secrets', 'kube-system', `${name}.node-password.k3s`);
    }
    return json(200, { apiVersion: 'v1', kind: 'Status', status: 'Success' });
  }
  const found = objects.get(resource, namespace, name);
  if (found === undefined) {
    return missing;
  }
  return method === 'PATCH' ? annotated(objects, resource, found, JSON.parse(body)) : json(200, found);
}

/** Creates or replaces an object; answers with 409 if the request's `resourceVersion` differs from the stored one. */
function replaced(
  objects: Objects,
  resource: string,
  namespace: string | undefined,
  object: ApiObject,
): Reply {
  const { name, resourceVersion } = object.metadata;
  const there = objects.get(resource, namespace, name)?.metadata.resourceVersion;
  if (resourceVersion !== undefined && there !== undefined && resourceVersion !== there) {
    const why = `Operation cannot be fulfilled on ${resource} "${name}": the object has been modified`;
    return status(409, 'Conflict', `${why}; please apply your changes to the latest version and try again`);
  }
  return json(200, objects.put(resource, namespace, object));
}

/** Applies a merge patch of annotations to a Node; answers with 422 for another resource or an invalid annotation. */
function annotated(
  objects: Objects,
  resource: string,
  found: ApiObject,
  patch: Readonly<Record<string, unknown>>,
): Reply {
  const annotations = Object(Object(patch.metadata).annotations);
  const invalid = invalidAnnotations(found.metadata.name, annotations);
  if (resource !== 'nodes' || invalid !== undefined) {
    return status(422, 'Invalid', invalid ?? 'is not a Node');
  }
  const all = { ...Object(found.metadata.annotations), ...annotations };
  return json(
    200,
    objects.put(resource, undefined, { ...found, metadata: { ...found.metadata, annotations: all } }),
  );
}

function created({ objects }: Api, resource: string, namespace: string | undefined, body: string): Reply {
  const object: ApiObject = JSON.parse(body);
  const invalid = resource === 'events' ? invalidEvent(object) : `${resource} is not modelled`;
  if (invalid !== undefined) {
    return status(422, 'Invalid', invalid);
  }
  const name = `${object.metadata.generateName}${randomBytes(3).toString('hex').slice(0, 5)}`;
  return json(201, objects.put(resource, namespace, { ...object, metadata: { ...object.metadata, name } }));
}

export function versionInfo(version: string) {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return {
    major,
    minor,
    gitVersion: version,
    gitTreeState: 'clean',
    goVersion: 'go1.25.5',
    compiler: 'gc',
    platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
  };
}
