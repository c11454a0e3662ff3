/** An object in a store. `modifiedAt` is in epoch milliseconds, by the clock of the store. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** The size and the SHA-256, as lower-case hex, of a file to store. */
export interface StoredContent {
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * The port to a store of objects, such as a folder or a bucket. A name has parts of letters, digits, dots, dashes and
 * underscores, separated by slashes (`object-name.ts`).
 *
 * No method replaces an object, and none retries: only the reconciler decides when to try again. Every failure is a
 * NodeError whose message names the right or the setting to correct, and contains no secret. The signal stops a
 * transfer.
 */
export interface ObjectStore {
  /** The store in words, without a secret, such as `the folder /mnt/backup`. */
  readonly name: string;
  /**
   * Stores a local file under a new name. Succeeds without an effect if the store already has the same content there;
   * throws `StoreConflict` for any other content. The object appears with its whole content, or not at all.
   */
  put(name: string, from: string, content: StoredContent, signal?: AbortSignal): Promise<void>;
  /**
   * Creates a small object with this text, as the first and only one to do so, and returns `claimed`; `exists` if the
   * object has another text. A repeated call with the same text returns `claimed` again, so the text must be unique to
   * its caller. Throws if the outcome is unknown, for example after a timeout, and never returns `claimed` in doubt.
   */
  claim(name: string, text: string): Promise<'claimed' | 'exists'>;
  /**
   * Fetches an object into a local file with mode 0600, which it replaces. Throws `ObjectNotFound`, and `StoreLimit`
   * for more than `limit` bytes.
   */
  fetch(name: string, to: string, limit: number, signal?: AbortSignal): Promise<void>;
  /** Returns the text of an object; `undefined` if it is missing. Throws `StoreLimit` for more than `limit` bytes. */
  read(name: string, limit: number): Promise<string | undefined>;
  /**
   * Returns the objects whose names begin with `prefix`, sorted by name. May omit an object that was created or removed
   * just now. Throws `StoreLimit` for more than `mostObjects`.
   */
  list(prefix: string): Promise<readonly StoredObject[]>;
  /** Removes an object. Returns `refused` if this node may not remove it, and `removed` if it is missing. */
  remove(name: string): Promise<'removed' | 'refused'>;
}

/** The largest number of objects that `list` returns. */
export const mostObjects = 10_000;
