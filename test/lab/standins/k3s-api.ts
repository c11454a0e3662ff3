/**
 * A small Kubernetes API with the errors of the API server: /readyz, /livez, /healthz, /version, single objects and
 * lists.
 *
 * The path /objects/<resource>/<namespace or _>/<name> exists only in the stand-in. With it, the stand-ins for kubectl
 * and kubelet need no discovery.
 */
import { forbidden, type User } from './k3s-admission.ts';
import { created, mergePatched, missing, type Place } from './k3s-changes.ts';
import { type ApiObject, namespaced, type Objects } from './k3s-objects.ts';
import { json, type Reply, status, unauthorized } from './k3s-reply.ts';
import { answerRest, isRest, type RestRequest } from './k3s-rest.ts';

export interface Api {
  readonly version: string;
  readonly objects: Objects;
  /** True once the API has started; until then, authorized requests get a 503. */
  apiReady: boolean;
  /** Returns the current time in epoch milliseconds; the time of this process by default. */
  readonly now?: () => number;
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
  const namespace = namespaced(resource) ? space : undefined;
  const refusal = forbidden(user, { method, resource, namespace, name, body }, supervisor.objects);
  if (refusal !== undefined) {
    return status(403, 'Forbidden', refusal);
  }
  return object(supervisor.objects, { resource, namespace, name }, request, user);
}

function object(objects: Objects, place: Place, { method, body }: RestRequest, user: User): Reply {
  const { resource, namespace, name } = place;
  if (method === 'POST') {
    return created(objects, place, body);
  }
  if (name === undefined) {
    return json(200, { apiVersion: 'v1', kind: 'List', items: objects.list(resource, namespace) });
  }
  if (method === 'PUT') {
    return replaced(objects, resource, namespace, JSON.parse(body));
  }
  if (method === 'PATCH') {
    return mergePatched(objects, place, body, user, 'kubectl-annotate');
  }
  if (method === 'DELETE') {
    return removed(objects, place, name);
  }
  const found = objects.get(resource, namespace, name);
  return found === undefined ? missing(place) : json(200, found);
}

/** Removes an object; with a Node, also the password of the node, as K3s does. */
function removed(objects: Objects, place: Place, name: string): Reply {
  if (!objects.remove(place.resource, place.namespace, name)) {
    return missing(place);
  }
  if (place.resource === 'nodes') {
    objects.remove('secrets', 'kube-system', `${name}.node-password.k3s`);
  }
  return json(200, { apiVersion: 'v1', kind: 'Status', status: 'Success' });
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
