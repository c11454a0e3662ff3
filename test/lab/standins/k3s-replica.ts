/**
 * API objects in a datastore that servers share: a copy in memory that follows the datastore.
 *
 * Models k8s.io/apiserver pkg/storage: a request reads no older state than the datastore had when it began (cacher's
 * consistent reads, 1.31), and a change counts once the datastore has it, unless another server was faster (etcd3,
 * GuaranteedUpdate). Deliberately simpler: the `resourceVersion` is stored with the object instead of being its
 * revision.
 */
import { type ApiObject, type Objects, resourceNamed, stamped } from './k3s-objects.ts';
import type { Change, Entry, KeyStore } from './k3s-store.ts';

/** Objects whose changes reach the datastore later. */
export interface Replica extends Objects {
  /** Resolves once this copy has every change that any server has made; rejects with the error of the datastore. */
  fresh(): Promise<void>;
  /**
   * Runs `work`; resolves to its result once the datastore has its changes; rejects with `Conflict` or another error.
   */
  stored<Result>(work: () => Result): Promise<Result>;
}

/** Another server changed the object first. */
export class Conflict extends Error {}

/** True if the changes of these objects reach the datastore later. */
export function isReplica(objects: Objects): objects is Replica {
  return 'fresh' in objects;
}

interface Held {
  readonly object: ApiObject | undefined;
  readonly revision: number;
}

interface Pending {
  readonly key: string;
  readonly value: string | undefined;
  /** The revision to replace; `undefined` if the change follows another pending change of the same key. */
  readonly base: number | undefined;
  readonly done: Promise<void>;
  settle(error?: unknown): void;
}

const prefix = '/registry/';
const crds = 'customresourcedefinitions.apiextensions.k8s.io';

/** Opens the objects in `store`. `directory` is the folder beside which the lab keeps its Git repositories. */
export async function openReplica(store: KeyStore, directory: string): Promise<Replica> {
  const held = new Map<string, Held>();
  const queue: Pending[] = [];
  const waiting: { readonly revision: number; readonly resolve: () => void }[] = [];
  const unsure = new Set<string>();
  let current: Promise<unknown>[] = [];
  let running = false;
  const { revision, entries } = await store.load(prefix);
  let reached = revision;
  entries.forEach(keep);
  store.follow(revision, follow);

  function keep({ key, value, revision: at }: Change | Entry): void {
    held.set(key, { object: value === undefined ? undefined : JSON.parse(value), revision: at });
  }

  function follow(changes: readonly Change[], newest: number): void {
    for (const change of changes.filter(({ key }) => key.startsWith(prefix))) {
      const isOwn = queue.some(({ key }) => key === change.key);
      if (!isOwn && change.revision > (held.get(change.key)?.revision ?? 0)) {
        keep(change);
      }
    }
    reached = Math.max(reached, newest);
    for (const wait of waiting.filter((one) => one.revision <= reached)) {
      waiting.splice(waiting.indexOf(wait), 1);
      wait.resolve();
    }
  }

  function enqueue(key: string, object: ApiObject | undefined): void {
    const { promise: done, resolve, reject } = Promise.withResolvers<void>();
    const follows = queue.some((one) => one.key === key);
    const before = held.get(key);
    const base = follows ? undefined : before?.object === undefined ? 0 : before.revision;
    const value = object === undefined ? undefined : JSON.stringify(object);
    queue.push({ key, value, base, done, settle: (error) => (error ? reject(error) : resolve()) });
    held.set(key, { object, revision: before?.revision ?? 0 });
    done.catch(() => undefined);
    current.push(done);
    void drain();
  }

  async function drain(): Promise<void> {
    if (running) {
      return;
    }
    running = true;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      await writeOne(next);
    }
    running = false;
  }

  async function writeOne(next: Pending): Promise<void> {
    const { key, value } = next;
    const base = next.base ?? written.get(key);
    written.delete(key);
    const outcome = await (base === undefined ? reload(key) : store.write({ key, value, base })).catch(
      (error: unknown) => ({ error }),
    );
    queue.shift();
    const follows = queue.some((one) => one.key === key);
    if ('revision' in outcome) {
      const object = follows ? held.get(key)?.object : value === undefined ? undefined : JSON.parse(value);
      held.set(key, { object, revision: outcome.revision });
      if (follows) {
        written.set(key, value === undefined ? 0 : outcome.revision);
      }
      return next.settle();
    }
    if ('error' in outcome) {
      unsure.add(key);
      return next.settle(outcome.error);
    }
    keep(outcome.conflict ?? { key, value: undefined, revision: 0 });
    next.settle(new Conflict(`the object ${key} has been modified`));
  }

  /** The revision of an own change, for the pending change of the same key that follows. */
  const written = new Map<string, number>();

  async function reload(key: string): Promise<{ readonly conflict: Entry | undefined }> {
    const found = await store.load(key);
    return { conflict: found.entries.find((entry) => entry.key === key) };
  }

  async function fresh(): Promise<void> {
    const newest = await store.revision();
    for (const key of unsure) {
      const { conflict } = await reload(key);
      unsure.delete(key);
      keep(conflict ?? { key, value: undefined, revision: 0 });
    }
    if (newest > reached) {
      await new Promise<void>((resolve) => waiting.push({ revision: newest, resolve }));
    }
  }

  const keyOf = (resource: string, namespace: string | undefined, name: string) =>
    `${prefix}${resource}/${namespace ?? '_'}/${name}`;
  const below = (path: string) =>
    [...held].filter(([key, { object }]) => object !== undefined && key.startsWith(path)).sort();

  return {
    directory,
    fresh,
    async stored(work) {
      const outer = current;
      current = [];
      const mine = current;
      try {
        const result = work();
        current = outer;
        await Promise.all(mine);
        return result;
      } finally {
        current = current === mine ? outer : current;
      }
    },
    get: (resource, namespace, name) => held.get(keyOf(resource, namespace, name))?.object,
    list: (resource, namespace) =>
      below(`${prefix}${resource}/${namespace === undefined ? '' : `${namespace}/`}`).flatMap(
        ([, { object }]) => object ?? [],
      ),
    put(resource, namespace, object) {
      const key = keyOf(resource, namespace, object.metadata.name);
      const stored = stamped(object, held.get(key)?.object);
      enqueue(key, stored);
      return stored;
    },
    remove(resource, namespace, name) {
      const key = keyOf(resource, namespace, name);
      if (held.get(key)?.object === undefined) {
        return false;
      }
      enqueue(key, undefined);
      return true;
    },
    resolve: (asked) =>
      resourceNamed(asked, () => [
        ...new Set(below(prefix).map(([key]) => key.split('/')[2] ?? '')),
        ...below(`${prefix}${crds}/_/`).map(([key]) => key.split('/')[4] ?? ''),
      ]),
  };
}
