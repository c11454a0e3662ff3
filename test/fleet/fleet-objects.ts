import { type ApiObject, type Objects, resourceNamed } from '../lab/standins/k3s-objects.ts';

/** The API's objects in maps. Each change gives an object the next version of the whole store, as etcd does. */
export function fleetObjects(): Objects {
  const all = new Map<string, Map<string, ApiObject>>();
  const resolved = new Map<string, string | undefined>();
  let version = 0;
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
    get: (resource, namespace, name) => of(resource).get(key(namespace, name)),
    list: (resource, namespace) => {
      const objects = [...of(resource)];
      return objects
        .filter(([at]) => namespace === undefined || at.startsWith(`${namespace}/`))
        .map(([, object]) => object);
    },
    put(resource, namespace, object) {
      version += 1;
      const at = key(namespace, object.metadata.name);
      const uid = object.metadata.uid ?? of(resource).get(at)?.metadata.uid ?? `uid-${version}`;
      const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(version) } };
      of(resource).set(at, stored);
      return stored;
    },
    remove: (resource, namespace, name) => of(resource).delete(key(namespace, name)),
    resolve(asked) {
      if (!resolved.has(asked)) {
        resolved.set(asked, resourceNamed(asked, []));
      }
      return resolved.get(asked);
    },
  };
}
