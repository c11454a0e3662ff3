/**
 * An emulated bucket of Oracle Cloud's Object Storage.
 *
 * Models oci-typescript-sdk, lib/objectstorage (PutObject, GetObject, HeadObject, ListObjects, DeleteObject: the name
 * of an object is one encoded segment of the path), and "API Errors". A missing right and a missing bucket have the
 * same answer, 404 BucketNotFound. The signature of a PUT does not cover the body.
 */
import type { Incoming, Reply } from '../azure/loopback.ts';
import type { Caller } from '../oracle/federation.ts';
import { notAuthenticated, refused } from '../oracle/signatures.ts';
import { type Kept, pageOf } from './kept.ts';

/** The lab's short form of a permission such as `manage objects where target.bucket.name = NAME`. */
export function useObjects(action: 'read' | 'create' | 'delete', bucket: string): string {
  return `${action} objects ${bucket}`;
}

/** The bucket; tests may change its fields. */
export class OracleBucket {
  readonly objects = new Map<string, Kept>();
  /** The names of objects that exist, but are not shown yet. */
  readonly hidden = new Set<string>();
  exists = true;
  pageSize = 1_000;
  readonly #namespace: string;
  readonly #name: string;
  readonly #caller: (request: Incoming) => Caller | undefined;

  constructor(namespace: string, name: string, caller: (request: Incoming) => Caller | undefined) {
    this.#namespace = namespace;
    this.#name = name;
    this.#caller = caller;
  }

  answer(request: Incoming): Reply {
    const caller = this.#caller(request);
    if (caller === undefined) {
      return notAuthenticated(Date.now());
    }
    const start = `/n/${this.#namespace}/b/${this.#name}/o`;
    const { pathname } = request.url;
    if (!this.exists || !(pathname === start || pathname.startsWith(`${start}/`))) {
      return this.#hidden();
    }
    const may = (action: 'read' | 'create' | 'delete') =>
      caller.permissions.includes(useObjects(action, this.#name));
    const segment = pathname.slice(start.length + 1);
    if (segment.includes('/')) {
      return refused(404, 'NotFound', 'no such path', Date.now());
    }
    const name = decodeURIComponent(segment);
    switch (request.method) {
      case 'PUT':
        return may('create') ? this.#put(name, request) : this.#hidden();
      case 'DELETE':
        return may('delete') ? this.#delete(name) : this.#hidden();
      default:
        return may('read') ? this.#read(name, request.url.searchParams) : this.#hidden();
    }
  }

  #put(name: string, { headers, raw }: Incoming): Reply {
    if (headers['content-length'] !== String(raw.length)) {
      return refused(411, 'MissingContentLength', 'content-length', Date.now());
    }
    if (this.objects.has(name) && headers['if-none-match'] === '*') {
      return refused(412, 'IfNoneMatchFailed', 'The object already exists', Date.now());
    }
    this.objects.set(name, { content: raw, sha256: headers['opc-meta-sha256'], modifiedAt: Date.now() });
    return { status: 200, headers: { etag: '1' } };
  }

  #read(name: string, query: URLSearchParams): Reply {
    if (name === '') {
      return this.#list(query);
    }
    const found = this.objects.get(name);
    if (found === undefined || this.hidden.has(name)) {
      return this.#missing(name);
    }
    const metadata = found.sha256 === undefined ? {} : { 'opc-meta-sha256': found.sha256 };
    return {
      status: 200,
      headers: { 'content-type': 'application/octet-stream', ...metadata },
      body: found.content,
    };
  }

  #list(query: URLSearchParams): Reply {
    const fields = query.get('fields')?.split(',') ?? ['name'];
    const { objects, next } = pageOf(this.objects, {
      prefix: query.get('prefix') ?? '',
      start: query.get('start') ?? '',
      size: Math.min(Number(query.get('limit') ?? 1_000), this.pageSize),
    });
    const listed = objects.map(([name, { content, modifiedAt }]) => ({
      name,
      ...(fields.includes('size') && { size: content.length }),
      ...(fields.includes('timeModified') && { timeModified: new Date(modifiedAt).toISOString() }),
    }));
    return { status: 200, body: { objects: listed, prefixes: [], ...(next && { nextStartWith: next }) } };
  }

  #delete(name: string): Reply {
    return this.objects.delete(name) ? { status: 204 } : this.#missing(name);
  }

  #missing(name: string): Reply {
    const message = `The object '${name}' was not found in the bucket '${this.#name}'`;
    return refused(404, 'ObjectNotFound', message, Date.now());
  }

  #hidden(): Reply {
    const message = `Either the bucket named '${this.#name}' does not exist in the namespace '${this.#namespace}' or you are not authorized to access it`;
    return refused(404, 'BucketNotFound', message, Date.now());
  }
}
