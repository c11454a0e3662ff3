import { shortDigest } from '../../src/agent/engine/digest.ts';
import type { MemoryFiles } from './memory-files.ts';
import { type ApiObject, type Objects, resourceNamed } from './standins/k3s-objects.ts';

/** API objects in a MemoryHost, with a number that changes with each of their changes. */
export interface MemoryObjects extends Objects {
  readonly revision: () => number;
}

/**
 * Stores API objects as JSON files of a MemoryHost, at `DIRECTORY/RESOURCE/NAMESPACE/NAME` (`_` replaces a missing
 * namespace). Therefore objects survive a crash, and tests compare them with the other files. The version of an object
 * is a digest of its content and its previous version, and a deleted object that is created again has a new uid.
 */
export function memoryObjects(files: MemoryFiles, directory: string): MemoryObjects {
  const path = (resource: string, namespace: string | undefined, name: string) =>
    `${directory}/${resource}/${namespace ?? '_'}/${name}`;
  /** The object in each file, with the text from which it was parsed. */
  const parsed = new Map<string, { readonly text: string; readonly object: ApiObject }>();
  const read = (at: string): ApiObject | undefined => {
    const text = files.text(at);
    if (text === undefined) {
      return undefined;
    }
    const known = parsed.get(at);
    const object = known?.text === text ? known.object : frozen(JSON.parse(text));
    parsed.set(at, { text, object });
    return object;
  };
  const removals = new Map<string, number>();
  const below = (at: string): readonly string[] => (files.stat(at) ? files.list(at) : []);
  return {
    directory,
    revision: files.countChanges(directory),
    get: (resource, namespace, name) => read(path(resource, namespace, name)),
    list: (resource, namespace) =>
      (namespace === undefined ? below(`${directory}/${resource}`) : [namespace]).flatMap((space) =>
        below(`${directory}/${resource}/${space}`).flatMap((name) => read(path(resource, space, name)) ?? []),
      ),
    put(resource, namespace, object) {
      const at = path(resource, namespace, object.metadata.name);
      const uid = object.metadata.uid ?? shortDigest(`${at} ${removals.get(at) ?? 0}`);
      const resourceVersion = shortDigest(JSON.stringify({ ...object, uid }));
      const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion } };
      files.write(at, JSON.stringify(stored));
      return stored;
    },
    remove(resource, namespace, name) {
      const at = path(resource, namespace, name);
      const isThere = files.stat(at) !== undefined;
      files.remove(at);
      removals.set(at, (removals.get(at) ?? 0) + 1);
      return isThere;
    },
    resolve: (asked) =>
      resourceNamed(asked, () => [
        ...below(directory),
        ...below(`${directory}/customresourcedefinitions.apiextensions.k8s.io/_`),
      ]),
  };
}

/** Freezes a value with all that it contains, since a later read returns the same one. */
function frozen<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
