import type { NodeError } from '../engine/errors.ts';
import type { HttpResponse, HttpSend } from '../engine/host.ts';
import type { Content } from '../engine/secret.ts';
import type { StoredObject } from './store.ts';

/** A request to a store, before it is authorized. */
export interface StoreRequest {
  readonly method: Extract<HttpSend['method'], 'GET' | 'HEAD' | 'PUT' | 'DELETE'>;
  readonly url: string;
  /** The headers that depend on the request, with lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** The SHA-256 of the body as lower-case hex. */
  readonly sha256: string;
}

/** What an answer of a store means. `missing` is about the object, and `nowhere` about the container or bucket. */
export type Verdict = 'done' | 'exists' | 'missing' | 'nowhere' | 'forbidden' | 'hidden' | 'failed';

/** One page of a list. The names are those of the store, with the prefix of `backup.to`. */
export interface Page {
  readonly objects: readonly StoredObject[];
  /** Where the next page begins; absent on the last page. */
  readonly next?: string | undefined;
}

/** How to speak with one kind of store over HTTP. */
export interface Protocol {
  /** The store in words, such as `the container backups of the storage account team`. */
  readonly name: string;
  /** The part of every name in the store that comes from `backup.to`: empty, or with a slash at its end. */
  readonly within: string;
  /** The largest object that one request can store, in bytes. */
  readonly largest: number;
  /** True if stores with this protocol exist that ignore If-None-Match. */
  readonly mayIgnoreConditions?: boolean;
  urlOf(key: string): Promise<string>;
  /** Returns the URL of a page of the objects whose names begin with `prefix`. */
  listUrl(prefix: string, next: string | undefined): Promise<string>;
  /** Returns the headers of a request that creates an object and refuses to replace one. */
  creating(sha256: string): Readonly<Record<string, string>>;
  /** Returns all headers of a request, with its authorization. */
  authorize(request: StoreRequest): Promise<Readonly<Record<string, Content>>>;
  /** Called after a refusal, to get new credentials for the next request. */
  forget(): void;
  /** Returns the SHA-256 that was stored with an object, from the answer to a HEAD request. */
  digestOf(response: HttpResponse): string | undefined;
  /** Reads a page; `undefined` if the body is not one. */
  readPage(body: string): Page | undefined;
  verdict(response: HttpResponse): Verdict;
  /** Returns the error for an answer with any verdict but `done`. */
  refused(response: HttpResponse, verdict: Verdict): NodeError;
}
