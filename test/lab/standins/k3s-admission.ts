/**
 * Checks the permissions of a kubelet, and validates annotations and events.
 *
 * Models the node authorizer and the role system:node (plugin/pkg/auth/authorizer: a kubelet reads its own Node and the
 * Lease of its heartbeats, and creates events without reading them), NodeRestriction (plugin/pkg/admission/
 * noderestriction: a kubelet changes only its own Node, and neither its taints nor most labels of Kubernetes) and the
 * validation of annotations and of core/v1 events (pkg/apis/core/validation). Seen with a kube-apiserver 1.36.3.
 * Deliberately stricter: each annotation key needs a prefix, and each event must be about that Node.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ApiObject, Objects } from './k3s-objects.ts';
import { refusedClaim, refusedPod, refusedVolume } from './k3s-pod-rights.ts';

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Attempt {
  readonly method: string;
  readonly resource: string;
  readonly namespace?: string | undefined;
  readonly name: string | undefined;
  readonly body: string;
  readonly fieldSelector?: string | null;
  readonly subresource?: string | undefined;
}

/** Returns why a request of this user is forbidden; `undefined` if it is permitted. Only kubelets are restricted. */
export function forbidden(user: User, attempt: Attempt, objects: Objects): string | undefined {
  const own = ownNode(user);
  return own === undefined ? undefined : (permissions[attempt.resource] ?? nothing)(own, attempt, objects);
}

/** Returns the name of a kubelet's Node; `undefined` for a user that is not a kubelet. */
function ownNode({ name, groups }: User): string | undefined {
  return groups.includes('system:nodes') ? name.replace('system:node:', '') : undefined;
}

/** Returns why a kubelet may not send a request about one resource. */
type Permission = (own: string, attempt: Attempt, objects: Objects) => string | undefined;

const permissions: Readonly<Record<string, Permission>> = {
  events: (own, attempt) =>
    attempt.method === 'POST' ? foreignEvent(own, Object(JSON.parse(attempt.body))) : nothing(own, attempt),
  nodes: nodePermission,
  'leases.coordination.k8s.io': leasePermission,
  pods: refusedPod,
  persistentvolumeclaims: refusedClaim,
  persistentvolumes: refusedVolume,
};

function nothing(own: string, { method, resource, namespace, name }: Attempt): string {
  const verb = name === undefined && method === 'GET' ? 'list' : (verbs[method] ?? method);
  const [plural, ...group] = resource.split('.');
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return `${shown(resource, name)} is forbidden: User "system:node:${own}" cannot ${verb} resource "${plural}" in API group "${group.join('.')}" ${scope}`;
}

function nodePermission(own: string, attempt: Attempt): string | undefined {
  const { method, resource, name, fieldSelector } = attempt;
  if (method === 'DELETE') {
    return nothing(own, attempt);
  }
  if (method === 'GET') {
    const which = name === undefined ? 'all nodes' : `'${name}'`;
    const isOwn = name === own || (name === undefined && fieldSelector === `metadata.name=${own}`);
    return isOwn
      ? undefined
      : `${nothing(own, attempt)}: node '${own}' cannot read ${which}, only its own Node object`;
  }
  const target = name ?? Object(JSON.parse(attempt.body)).metadata?.name;
  return target === own
    ? undefined
    : `${shown(resource, target)} is forbidden: node "${own}" is not allowed to modify node "${target}"`;
}

/** A kubelet reads and writes only the Lease of its own heartbeats, so it cannot hold a Lease that nodes share. */
function leasePermission(own: string, attempt: Attempt): string | undefined {
  const { namespace, name, body, method } = attempt;
  if (namespace !== 'kube-node-lease') {
    return `${nothing(own, attempt)}: can only access leases in the "kube-node-lease" system namespace`;
  }
  const foreign = 'can only access node lease with the same name as the requesting node';
  if (method === 'POST') {
    const target = Object(JSON.parse(body)).metadata?.name;
    return target === own ? undefined : `${shown(attempt.resource, target)} is forbidden: ${foreign}`;
  }
  return name === own ? undefined : `${nothing(own, attempt)}: ${foreign}`;
}

function shown(resource: string, name: string | undefined): string {
  return name === undefined ? resource : `${resource} "${name}"`;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  POST: 'create',
  DELETE: 'delete',
};

/** Returns why a kubelet may not change its existing Node like this; `undefined` if it may, and for other users. */
export function refusedChange(user: User, before: ApiObject, after: ApiObject): string | undefined {
  if (ownNode(user) === undefined || before.kind !== 'Node') {
    return undefined;
  }
  const name = before.metadata.name;
  const refused = `nodes "${name}" is forbidden:`;
  const { taints: old } = Object(before.spec);
  const { taints } = Object(after.spec);
  if (!isDeepStrictEqual(old ?? [], taints ?? [])) {
    return `${refused} node "${name}" is not allowed to modify taints`;
  }
  const labels = [before, after].map(({ metadata }): Record<string, unknown> => Object(metadata.labels));
  const changed = [...new Set(labels.flatMap((each) => Object.keys(each)))].filter(
    (key) => labels[0]?.[key] !== labels[1]?.[key] && isReserved(key),
  );
  return changed.length === 0
    ? undefined
    : `${refused} is not allowed to modify labels: ${changed.join(', ')}`;
}

/** True for the labels of Kubernetes, except those that kubelet may set (kubelet/pkg/apis/well_known_labels.go). */
function isReserved(key: string): boolean {
  return (
    /(^|\.)(kubernetes|k8s)\.io\//.test(key) &&
    !/^(topology\.kubernetes\.io|([^/]+\.)?kubelet\.kubernetes\.io|([^/]+\.)?node\.kubernetes\.io)\//.test(
      key,
    ) &&
    !['kubernetes.io/hostname', 'kubernetes.io/os', 'kubernetes.io/arch'].includes(key)
  );
}

function foreignEvent(
  own: string,
  { involvedObject }: Readonly<Record<string, unknown>>,
): string | undefined {
  const { kind, name } = Object(involvedObject);
  return kind === 'Node' && name === own
    ? undefined
    : `events is forbidden: node "${own}" is not allowed to tell of ${kind} "${name}"`;
}

const label = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const annotationKey = new RegExp(
  `^(?=[^/]{1,253}/)${label}(?:\\.${label})+/[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$`,
);

/** Returns the API's error for the first invalid annotation of an object; `undefined` if all are valid. */
export function invalidAnnotations(kind: string, name: string, annotations: object): string | undefined {
  for (const [key, value] of Object.entries(annotations)) {
    const where = `${kind} "${name}" is invalid: metadata.annotations`;
    if (!annotationKey.test(key)) {
      return `${where}: Invalid value: "${key}": name part must consist of ...`;
    }
    if (typeof value !== 'string') {
      return `${where}.${key}: Invalid value: must be a string`;
    }
  }
  return undefined;
}

const eventFields: Readonly<Record<string, (value: unknown) => boolean>> = {
  apiVersion: (value) => value === 'v1',
  kind: (value) => value === 'Event',
  metadata: (value) => /^[a-z0-9.-]+\.$/.test(Object(value).generateName),
  involvedObject: (value) => typeof Object(value).name === 'string' && Object(value).uid !== undefined,
  type: (value) => value === 'Normal' || value === 'Warning',
  reason: (value) => /^[A-Z][A-Za-z]{0,127}$/.test(String(value)),
  message: (value) => typeof value === 'string' && value.length > 0 && value.length <= 1024,
  source: (value) => typeof Object(value).component === 'string',
  firstTimestamp: isTime,
  lastTimestamp: isTime,
  count: (value) => Number.isInteger(value) && Number(value) > 0,
};

/** Returns the error for an invalid event, by rules that are stricter than the API's; `undefined` if it is valid. */
export function invalidEvent(event: Readonly<Record<string, unknown>>): string | undefined {
  const where = `Event "${Object(event.metadata).generateName}" is invalid`;
  const unknown = Object.keys(event).find((field) => !(field in eventFields));
  if (unknown !== undefined) {
    return `${where}: strict decoding error: unknown field "${unknown}"`;
  }
  if (Object(event.metadata).namespace !== (Object(event.involvedObject).namespace ?? 'default')) {
    return `${where}: involvedObject.namespace: Invalid value: "": does not match event.namespace`;
  }
  const wrong = Object.entries(eventFields).find(([field, isGood]) => !isGood(event[field]));
  return wrong && `${where}: ${wrong[0]}: Invalid value: ${JSON.stringify(event[wrong[0]])}`;
}

function isTime(value: unknown): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(value)) && !Number.isNaN(Date.parse(String(value)));
}
