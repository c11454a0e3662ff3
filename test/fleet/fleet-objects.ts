import { type ApiObject, type Objects, resourceNamed } from '../lab/standins/k3s-objects.ts';

/** The API's objects, with a number that grows with each change that an answer to a node may show. */
export interface FleetObjects extends Objects {
  readonly revision: () => number;
}

/** The namespace of the heartbeats of kubelets. */
export const heartbeats = 'kube-node-lease';

/** The API's objects in maps. Each change gives an object the next version of the whole store, as etcd does. */
export function fleetObjects(): FleetObjects {
  const all = new Map<string, Map<string, ApiObject>>();
  /** The lists of each resource by namespace, until an object of the resource changes. */
  const lists = new Map<string, Map<string | undefined, readonly ApiObject[]>>();
  const resolved = new Map<string, string | undefined>();
  let version = 0;
  let revision = 0;
  const of = (resource: string) => {
    const found = all.get(resource);
    if (found) {
      return found;
    }
    const created = new Map<string, ApiObject>();
    all.set(resource, created);
    return created;
  };
  const key = (namespace: string | undefined, name: string) => `${namespace ?? '_'}/${name}`;
  return {
    directory: '',
    revision: () => revision,
    get: (resource, namespace, name) => of(resource).get(key(namespace, name)),
    list(resource, namespace) {
      const known = lists.get(resource) ?? new Map<string | undefined, readonly ApiObject[]>();
      const list = known.get(namespace) ?? objectsIn(of(resource), namespace);
      lists.set(resource, known.set(namespace, list));
      return list;
    },
    put(resource, namespace, object) {
      version += 1;
      revision += namespace === heartbeats ? 0 : 1;
      lists.delete(resource);
      const at = key(namespace, object.metadata.name);
      const uid = object.metadata.uid ?? of(resource).get(at)?.metadata.uid ?? `uid-${version}`;
      const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
      of(resource).set(at, stored);
      return stored;
    },
    remove(resource, namespace, name) {
      revision += 1;
      lists.delete(resource);
      return of(resource).delete(key(namespace, name));
    },
    resolve(asked) {
      if (!resolved.has(asked)) {
        resolved.set(
          asked,
          resourceNamed(asked, () => []),
        );
      }
      return resolved.get(asked);
    },
  };
}

function objectsIn(
  objects: ReadonlyMap<string, ApiObject>,
  namespace: string | undefined,
): readonly ApiObject[] {
  return [...objects]
    .filter(([at]) => namespace === undefined || at.startsWith(`${namespace}/`))
    .map(([, object]) => object);
}
