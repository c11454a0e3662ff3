/**
 * A datastore of keys and values with revisions, as K3s sees etcd, or an SQL database through kine: every change needs
 * the revision that it replaces, and every server sees all changes in the same order.
 */

/** A key with its value and the revision of its last change. */
export interface Entry {
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

/** A change that another server or this one made; `value` is `undefined` if the key was removed. */
export interface Change {
  readonly key: string;
  readonly value: string | undefined;
  readonly revision: number;
}

/** A change to make. `base` is the revision of the value to replace, and 0 for a key that does not exist. */
export interface Wish {
  readonly key: string;
  readonly value: string | undefined;
  readonly base: number;
}

/** The new revision, or the entry that differs from `base`; `undefined` if the key does not exist. */
export type Written = { readonly revision: number } | { readonly conflict: Entry | undefined };

export interface KeyStore {
  /** Resolves to all keys that begin with `prefix`, and the revision at which they were read. */
  load(prefix: string): Promise<{ readonly revision: number; readonly entries: readonly Entry[] }>;
  /**
   * Resolves to the newest revision that any server has stored; rejects if the store cannot know it, as without quorum.
   */
  revision(): Promise<number>;
  write(wish: Wish): Promise<Written>;
  /**
   * Calls `seen` with all changes after `revision`, in order, until the process ends. Each call has the newest revision
   * so far, and may have no changes.
   */
  follow(revision: number, seen: (changes: readonly Change[], revision: number) => void): void;
  /** Resolves to true if this server is the one that runs the controllers of the cluster. */
  leads(): Promise<boolean>;
}
