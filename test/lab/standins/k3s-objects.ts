/** API objects as JSON files: <directory>/<plural.group>/<namespace or _>/<name>.json, each replaced atomically. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

export interface Objects {
  readonly directory: string;
  get(resource: string, namespace: string | undefined, name: string): ApiObject | undefined;
  list(resource: string, namespace?: string): readonly ApiObject[];
  put(resource: string, namespace: string | undefined, object: ApiObject): ApiObject;
  remove(resource: string, namespace: string | undefined, name: string): boolean;
  /**
   * Returns the full name of a resource, such as `nodes` for `no`; `undefined` if the resource is not built in and has
   * neither a CRD nor an object.
   */
  resolve(asked: string): string | undefined;
}

export function openObjects(directory: string): Objects {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = (resource: string, namespace: string | undefined, name: string) =>
    join(directory, resource, namespace ?? '_', `${name}.json`);
  return {
    directory,
    get: (resource, namespace, name) => read(path(resource, namespace, name)),
    list: (resource, namespace) =>
      (namespace === undefined ? names(join(directory, resource)) : [namespace]).flatMap((space) =>
        names(join(directory, resource, space)).flatMap((file) => {
          const object = file.endsWith('.json') ? read(join(directory, resource, space, file)) : undefined;
          return object === undefined ? [] : [object];
        }),
      ),
    put(resource, namespace, object) {
      const file = path(resource, namespace, object.metadata.name);
      const stored = stamped(object, read(file));
      write(file, `${JSON.stringify(stored, null, 2)}\n`);
      return stored;
    },
    remove(resource, namespace, name) {
      const file = path(resource, namespace, name);
      const there = existsSync(file);
      rmSync(file, { force: true });
      return there;
    },
    resolve: (asked) =>
      resourceNamed(asked, () => [
        ...names(directory),
        ...names(join(directory, crds, '_')).map((file) => file.replace(/\.json$/, '')),
      ]),
  };
}

/** Returns an empty set of objects, for a server that has not opened its datastore yet. */
export function noObjects(directory: string): Objects {
  return {
    directory: join(directory, 'db/objects'),
    get: () => undefined,
    list: () => [],
    put: (_resource, _namespace, object) => object,
    remove: () => false,
    resolve: () => undefined,
  };
}

/** Returns the place of every object in the folder of `openObjects`. */
export function storedKeys(directory: string) {
  return names(directory).flatMap((resource) =>
    names(join(directory, resource)).flatMap((space) =>
      names(join(directory, resource, space))
        .filter((file) => file.endsWith('.json'))
        .map((file) => ({
          resource,
          namespace: space === '_' ? undefined : space,
          name: file.replace(/\.json$/, ''),
        })),
    ),
  );
}

/** Returns the full name of a built-in resource or of one in `more`; `undefined` for any other resource. */
export function resourceNamed(asked: string, more: () => readonly string[]): string | undefined {
  if (builtIn.has(asked)) {
    return asked;
  }
  const [kind = '', ...group] = asked.toLowerCase().split('.');
  const forms = [kind, `${kind}s`, kind.replace(/y$/, 'ies'), shortNames[kind] ?? kind];
  const known = new Set([...builtIn, ...more()]);
  const candidates = forms.map((form) => [form, ...group].join('.'));
  return (
    candidates.find((candidate) => known.has(candidate)) ??
    [...known].find((resource) => forms.some((form) => group.length === 0 && resource.startsWith(`${form}.`)))
  );
}

/** True if the objects of a resource live in namespaces. */
export function namespaced(resource: string): boolean {
  return !clusterWide.includes(resource);
}

const crds = 'customresourcedefinitions.apiextensions.k8s.io';

const clusterWide = ['nodes', 'namespaces', 'persistentvolumes', 'etcdsnapshotfiles.k3s.cattle.io', crds];

const builtIn: ReadonlySet<string> = new Set([
  ...clusterWide,
  'configmaps',
  'endpoints',
  'persistentvolumeclaims',
  'poddisruptionbudgets.policy',
  'events',
  'pods',
  'secrets',
  'serviceaccounts',
  'services',
  'daemonsets.apps',
  'deployments.apps',
  'statefulsets.apps',
  'jobs.batch',
  'leases.coordination.k8s.io',
  'addons.k3s.cattle.io',
  'helmcharts.helm.cattle.io',
  'helmchartconfigs.helm.cattle.io',
]);

const shortNames: Readonly<Record<string, string>> = {
  no: 'nodes',
  ns: 'namespaces',
  po: 'pods',
  cm: 'configmaps',
  svc: 'services',
  deploy: 'deployments',
  crd: 'customresourcedefinitions',
};

/** Returns an object with what the API sets in its metadata; `before` is the stored object that it replaces. */
export function stamped(object: ApiObject, before: ApiObject | undefined): ApiObject {
  return { ...object, metadata: { ...stamps(before), ...object.metadata, ...version() } };
}

function stamps(before: ApiObject | undefined) {
  return {
    uid: before?.metadata.uid ?? randomUUID(),
    creationTimestamp: before?.metadata.creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
  };
}

function version() {
  return { resourceVersion: String(process.hrtime.bigint() / 1000n) };
}

function read(path: string): ApiObject | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return undefined;
    }
    throw error;
  }
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, path);
}

function names(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory).sort() : [];
}
