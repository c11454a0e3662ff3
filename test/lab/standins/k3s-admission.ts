/**
 * Checks the permissions of a kubelet, and validates annotations and events.
 *
 * Models the node authorizer and the role system:node (plugin/pkg/auth/authorizer: a kubelet reads its own Node, and
 * creates events without reading them), NodeRestriction (plugin/pkg/admission/noderestriction: a kubelet changes only
 * its own Node) and the validation of annotations and of core/v1 events (pkg/apis/core/validation). Deliberately
 * stricter: a kubelet may patch only the annotations of its Node, each annotation key needs a prefix, and each event
 * must be about that Node.
 */

export interface User {
  readonly name: string;
  readonly groups: readonly string[];
}

export interface Attempt {
  readonly method: string;
  readonly resource: string;
  readonly name: string | undefined;
  readonly body: string;
}

/** Returns why a request of this user is forbidden; `undefined` if it is permitted. Only kubelets are restricted. */
export function forbidden(user: User, { method, resource, name, body }: Attempt): string | undefined {
  if (!user.groups.includes('system:nodes')) {
    return undefined;
  }
  const own = user.name.replace('system:node:', '');
  const which = name === undefined ? resource : `${resource} "${name}"`;
  const verb = name === undefined && method === 'GET' ? 'list' : (verbs[method] ?? method);
  const cannot = `${which} is forbidden: User "${user.name}" cannot ${verb} resource "${resource}" in API group ""`;
  if (resource === 'events' && method === 'POST') {
    return foreignEvent(own, Object(JSON.parse(body)));
  }
  if (resource === 'events') {
    return `${cannot} in the namespace "default"`;
  }
  if (resource !== 'nodes' || (method === 'GET' && name !== own)) {
    return `${cannot} at the cluster scope: node '${own}' cannot read ${name === undefined ? 'all nodes' : `'${name}'`}, only its own Node object`;
  }
  if (method === 'DELETE') {
    return `${cannot} at the cluster scope`;
  }
  if (name !== own) {
    return `${which} is forbidden: node "${own}" is not allowed to modify node "${name}"`;
  }
  return method === 'PATCH' ? foreignPatch(which, Object(JSON.parse(body))) : undefined;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  PUT: 'update',
  PATCH: 'patch',
  POST: 'create',
  DELETE: 'delete',
};

function foreignPatch(which: string, patch: Readonly<Record<string, unknown>>): string | undefined {
  const fields = [...Object.keys(patch), ...Object.keys(Object(patch.metadata))];
  const foreign = fields.filter((field) => !['metadata', 'annotations'].includes(field));
  return foreign.length === 0
    ? undefined
    : `${which} is forbidden: is not allowed to modify ${foreign.join(', ')}`;
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

/** Returns the API's error for the first invalid annotation; `undefined` if all are valid. */
export function invalidAnnotations(node: string, annotations: object): string | undefined {
  for (const [key, value] of Object.entries(annotations)) {
    const where = `Node "${node}" is invalid: metadata.annotations`;
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
