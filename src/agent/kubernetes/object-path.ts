/** The kind of an API object: its group and version, such as `v1` or `helm.cattle.io/v1`, and its plural name. */
export interface ObjectKind {
  readonly apiVersion: string;
  readonly resource: string;
}

/** An API object. Cluster-wide objects, such as Nodes, have no namespace. */
export interface ObjectName extends ObjectKind {
  readonly namespace?: string;
  readonly name: string;
}

/** Returns the path of an object in the API (kubernetes.io, "API Concepts", resource URIs). */
export function objectPath({ name, ...kind }: ObjectName): string {
  return `${kindPath(kind)}/${encodeURIComponent(name)}`;
}

/**
 * Returns the path that lists the objects of a kind in the whole cluster or in one namespace. Limits the list to
 * objects with all `labels`.
 */
export function listPath(
  kind: ObjectKind & { readonly namespace?: string },
  labels: Readonly<Record<string, string>> = {},
): string {
  const selector = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  const query = selector.length === 0 ? '' : `?labelSelector=${encodeURIComponent(selector.join(','))}`;
  return `${kindPath(kind)}${query}`;
}

function kindPath({ apiVersion, resource, namespace }: ObjectKind & { readonly namespace?: string }): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const space = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${group}${space}/${resource}`;
}
