/**
 * A small Kubernetes API: /readyz, /livez, /version, and single objects with the API server's own refusals.
 *
 * The path /objects/<resource>/<namespace or _>/<name> is the stand-ins' own: it saves them the API's discovery.
 */
import { type ApiObject, namespaced, type Objects } from './k3s-objects.ts';

export interface Api {
  readonly version: string;
  readonly objects: Objects;
  /** Changes while K3s starts: the API answers 503 until it is true. */
  apiReady: boolean;
}

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Reply {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

export function answerApi(
  supervisor: Api,
  method: string,
  pathname: string,
  user: User,
  body: string,
): Reply {
  if (!user.groups.some((group) => ['system:masters', 'system:nodes'].includes(group))) return unauthorized;
  if (!supervisor.apiReady) {
    return status(503, 'ServiceUnavailable', 'the server is currently unable to handle the request');
  }
  if (['/readyz', '/livez', '/healthz'].includes(pathname)) return { status: 200, body: 'ok' };
  if (pathname === '/version') return json(200, versionInfo(supervisor.version));
  const [root, asked, space, name] = pathname.slice(1).split('/').map(decodeURIComponent);
  if (root !== 'objects' || asked === undefined) {
    return status(404, 'NotFound', 'the server could not find the requested resource');
  }
  const resource = supervisor.objects.resolve(asked);
  if (resource === undefined) return status(404, 'NoResourceMatch', asked.split('.')[0] ?? asked);
  const refusal = forbidden(user, resource, name);
  if (refusal !== undefined) return status(403, 'Forbidden', refusal);
  const namespace = namespaced(resource) ? space : undefined;
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
  if (method === 'PUT')
    return json(200, objects.put(resource, namespace, JSON.parse(body) satisfies ApiObject));
  if (method === 'DELETE') {
    if (!objects.remove(resource, namespace, name)) return missing;
    if (resource === 'nodes') objects.remove('secrets', 'kube-system', `${name}.node-password.k3s`);
    return json(200, { apiVersion: 'v1', kind: 'Status', status: 'Success' });
  }
  const found = objects.get(resource, namespace, name);
  return found === undefined ? missing : json(200, found);
}

/** The node authorizer: a kubelet sees its own Node and no other. */
function forbidden(user: User, resource: string, name: string | undefined): string | undefined {
  if (!user.groups.includes('system:nodes')) return undefined;
  const own = user.name.replace('system:node:', '');
  if (resource === 'nodes' && name === own) return undefined;
  const which = name === undefined ? resource : `${resource} "${name}"`;
  return `${which} is forbidden: User "${user.name}" cannot get resource "${resource}" in API group "" at the cluster scope: node '${own}' cannot read '${name}', only its own Node object`;
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

export const unauthorized = status(401, 'Unauthorized', 'Unauthorized');

export function status(code: number, reason: string, message: string): Reply {
  return json(code, { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code });
}

export function json(code: number, value: unknown): Reply {
  return { status: code, body: `${JSON.stringify(value)}\n`, type: 'application/json' };
}
